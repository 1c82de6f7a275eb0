"""An example of each call. `answers.json` beside this file holds what a system answers that was sent the example events
of `schemas.events.examples` (a year earlier); `python -m tests.examples.record` writes it, and a test compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.alerts import NewSilence
from schemas.campaigns import Campaign

CAMPAIGN: Final = "double-11"
LETTER: Final = ("campaign.orders", "0", "5")
ALERT: Final = "19a7b0c1f00-stock_out-1"


@dataclass(frozen=True, slots=True)
class Example:
    """What to send: values of parameters, and the body.

    `answer` is given here where a known system has none to show; the answer's shape is checked then, if there is one.
    `fixed` says that the values of the answer are known, but for moments that depend on when it is asked.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    answer: Any = None
    media: str = "application/json"
    fixed: bool = True
    status: int = 200
    brief: bool = False
    """Long lists are shown by their first items."""


_ID: Final = {"campaign_id": CAMPAIGN}
_DAY: Final = {"from": "2025-11-11T00:00:00+08:00", "to": "2025-11-12T00:00:00+08:00"}
_EVENING: Final = {"from": "2025-11-11T20:00:00+08:00", "to": "2025-11-11T20:02:00+08:00"}

_DECLARATION: Final = {
    "name": "Double 11",
    "start": "2025-11-11T00:00:00+08:00",
    "end": "2025-11-12T00:00:00+08:00",
    "timezone": "Asia/Shanghai",
    "gross_margin": 0.5,
    "phases": [
        {"name": "warm-up", "start": "2025-11-11T00:00:00+08:00", "end": "2025-11-11T20:00:00+08:00"},
        {"name": "burst", "start": "2025-11-11T20:00:00+08:00", "end": "2025-11-12T00:00:00+08:00"},
    ],
    "targets": {"total": {"gmv": "6156.00"}, "phases": {"burst": {"orders_paid": 2}}},
    "budgets": {"app": "5000.00"},
    "calendar": [
        {"name": "opening", "start": "2025-11-11T00:00:00+08:00"},
        {"name": "live stream", "start": "2025-11-11T20:00:00+08:00", "end": "2025-11-11T22:00:00+08:00"},
    ],
}
assert Campaign.model_validate(_DECLARATION)

_ALERT: Final = {
    "id": ALERT,
    "rule": "stock_out",
    "severity": "critical",
    "state": "firing",
    "campaign_id": CAMPAIGN,
    "labels": {"campaign_id": CAMPAIGN, "item_id": "sku-1"},
    "value": 0.0,
    "threshold": 0.0,
    "summary": "sku-1 is sold out",
    "runbook": "https://warroom.example/runbooks/stock_out",
    "starts_at": "2025-11-11T12:00:26Z",
    "ends_at": None,
    "complete_until": "2025-11-11T12:00:41Z",
    "evidence": {"available": 0},
    "incident": ALERT,
    "inhibited": False,
    "owner": "merchandising",
    "phase": "burst",
    "impact": {"loss_per_minute": "310.50", "basis": "what it sold before", "basis_zh": "此前的销售额"},
    "annotations": {"summary": "sku-1 is sold out", "summary_zh": "sku-1 已售罄"},
}
_TIMELINE: Final = [
    {"at": "2025-11-11T12:00:26Z", "state": "pending", "by": None, "note": None, "delivery": None},
    {"at": "2025-11-11T12:00:41Z", "state": "firing", "by": None, "note": None, "delivery": "delivered"},
]
_SILENCE: Final = {
    **NewSilence.model_config["json_schema_extra"]["example"],  # type: ignore[index,dict-item]  # pydantic allows a callable there
    "duration": "90d",
}

_INCIDENT: Final = {
    "type": "stock_out",
    "rule": "stock_out",
    "campaign_id": "rehearsal-1",
    "labels": {"campaign_id": "rehearsal-1", "item_id": "sku-0004"},
    "starts_at": "2026-11-10T13:56:00.000Z",
    "ends_at": "2026-11-10T13:59:00.000Z",
    "details": {},
    "consequences": [],
}
_SCORECARD: Final = {
    "path": "the embedded broker, ingest, embedded ClickHouse, alerts, a webhook receiver",
    "rehearsed": {
        "seed": 1,
        "seeds": 1,
        "hours": 2.0,
        "variant": "full",
        "events_per_second": 15.0,
        "start": "2026-11-10T12:00:00.000Z",
        "step_seconds": 5.0,
    },
    "totals": {
        "festivals": 1,
        "events": 108204,
        "injected": 1,
        "found": 1,
        "found_share": 1.0,
        "false_pages": 0,
        "false_pages_per_festival": 0.0,
        "delay_median_seconds": 20.89,
        "delay_p90_seconds": 20.89,
        "delay_max_seconds": 20.89,
        "event_hours": 2.0,
        "real_seconds": 712.4,
        "times_real_speed": 10.1,
        "festival_hours_per_hour": 10.1,
        "steps": 1440,
    },
    "rules": {
        "stock_out": {
            "injected": 1,
            "found": 1,
            "missed": 0,
            "false": 0,
            "accepted": 0,
            "delay_median_seconds": 20.89,
            "delay_p90_seconds": 20.89,
            "delay_max_seconds": 20.89,
        }
    },
    "kinds": {"stock_out": {"injected": 1, "found": 1}},
    "deliveries": {"due": 2, "received_once": 2, "never_received": 0, "received_again": 0},
    "found": [
        {
            **_INCIDENT,
            "delay_seconds": 20.89,
            "page": {
                "alert_id": "01a1c5beae837a4b882dcd4f3a85",
                "rule": "stock_out",
                "severity": "critical",
                "labels": _INCIDENT["labels"],
                "told_at": "2026-11-10T13:56:20.890Z",
                "summary": "Item sku-0004 is sold out in all warehouses",
            },
        }
    ],
    "missed": [],
    "false": [],
    "accepted": [],
    "decoys": [],
    "real_seconds_by_part": {"ingest": 280.1, "alerts": 391.6},
}
_REHEARSAL: Final = {
    "name": "friday",
    "written_at": "2026-11-20T09:12:44.120Z",
    "start": "2026-11-10T12:00:00.000Z",
    "variant": "full",
    "seed": 1,
    "festivals": 1,
    "hours": 2.0,
    "events": 108204,
    "injected": 1,
    "found": 1,
    "found_share": 1.0,
    "false_pages_per_festival": 0.0,
    "delay_median_seconds": 20.89,
    "delay_p90_seconds": 20.89,
    "problem": None,
}
_REHEARSALS: Final = {"columns": list(_REHEARSAL), "rows": [_REHEARSAL], "next_cursor": None}

_ACTIVITY: Final = {
    "columns": [
        "id", "at", "actor", "subject", "role", "how", "action", "campaign_id", "target", "result", "detail",
    ],
    "rows": [
        {
            "id": "0c8f2f3b6c0a4f4d9a5d6f8a3b1c7e20",
            "at": "2025-11-11T12:01:00.000Z",
            "actor": "wu",
            "subject": "u-1029",
            "role": "operator",
            "how": "session",
            "action": "silence.create",
            "campaign_id": "",
            "target": "5f0c1a9be2d34c70a86e1f3b9d2c4e57",
            "result": "done",
            "detail": {"matchers": {"rule": "stock_out", "item_id": "sku-1"}},
        },
    ],
    "next_cursor": None,
}  # fmt: skip

EXAMPLES: Final[Mapping[str, Example]] = {
    "PUT /api/v1/campaigns/{campaign_id}": Example(_ID, _DECLARATION),
    "GET /api/v1/campaigns/{campaign_id}": Example(_ID),
    "GET /api/v1/campaigns": Example({"limit": "10"}),
    "GET /api/v1/metrics": Example({"limit": "2"}),
    "GET /api/v1/campaigns/{campaign_id}/overview": Example({**_ID, **_DAY, "channel": ["app"], "baseline": "none"}),
    "GET /api/v1/campaigns/{campaign_id}/timeseries": Example(
        {**_ID, **_EVENING, "metrics": "gmv,uv", "interval": "1m", "group_by": "channel"}
    ),
    "GET /api/v1/campaigns/{campaign_id}/breakdown": Example(
        {**_ID, **_DAY, "dimension": "item_id", "metrics": "gmv,orders_paid", "order_by": "-gmv", "limit": "20"}
    ),
    "GET /api/v1/campaigns/{campaign_id}/funnel": Example({**_ID, **_DAY, "group_by": "channel"}),
    "GET /api/v1/campaigns/{campaign_id}/inventory": Example({**_ID, **_DAY}),
    "GET /api/v1/campaigns/{campaign_id}/pacing": Example(_ID, fixed=False),
    "GET /api/v1/campaigns/{campaign_id}/ladder": Example({**_ID, **_DAY}),
    "GET /api/v1/campaigns/{campaign_id}/attribution": Example(
        {**_ID, **_DAY, "model": "last_touch", "by": "utm_source", "lookback": "7d"}
    ),
    "GET /api/v1/campaigns/{campaign_id}/cohorts": Example({**_ID, **_DAY, "by": "first_channel"}),
    "GET /api/v1/campaigns/{campaign_id}/experiments": Example({**_ID, **_DAY, "experiment": "hero"}),
    "GET /api/v1/campaigns/{campaign_id}/stream": Example(
        {**_ID, "last-event-id": "3f9a1c20-17-1762862441000"},
        media="text/event-stream",
        fixed=False,
        answer="retry: 1000\n\n"
        'event: alert\ndata: {"id":"' + ALERT + '","state":"firing"}\n\n'
        "event: snapshot\nid: 3f9a1c20-18-1762862442000\n"
        'data: {"as_of":"2025-11-11T12:00:42Z","campaign":{},"overview":{},"pulse":{},"alerts":{},"channels":{}}\n\n',
    ),
    "GET /api/v1/campaigns/{campaign_id}/snapshot": Example(
        {**_ID, "at": "2025-11-11T20:01:30+08:00", "channel": ["app"]}, fixed=False, brief=True
    ),
    "GET /api/v1/dead-letters": Example({"reason": "unsupported_currency", "limit": "10"}),
    "GET /api/v1/dead-letters/{topic}/{partition}/{offset}": Example(
        dict(zip(("topic", "partition", "offset"), LETTER, strict=True))
    ),
    "POST /api/v1/dead-letters/redrive": Example(
        body={"letters": ["/".join(LETTER)], "set": {"currency": '"CNY"'}, "dry_run": True}
    ),
    "GET /api/v1/alerts": Example(
        {"campaign_id": CAMPAIGN, "severity": "critical", "limit": "10"},
        fixed=False,
        answer={"columns": list(_ALERT), "rows": [_ALERT], "next_cursor": None},
    ),
    "GET /api/v1/alerts/{alert_id}": Example(
        {"alert_id": ALERT}, fixed=False, answer={**_ALERT, "timeline": _TIMELINE}
    ),
    "GET /api/v1/alerts/{alert_id}/page": Example(
        {"alert_id": ALERT, "lang": "en"},
        fixed=False,
        media="text/plain",
        answer="[CRITICAL · firing] Stock-out · double-11 · sku-1\n\nItem sku-1 is sold out in all warehouses\n",
    ),
    "GET /api/v1/alerts/{alert_id}/curve.png": Example(
        {"alert_id": ALERT}, fixed=False, media="image/png", answer="(a PNG)"
    ),
    "POST /api/v1/alerts/{alert_id}/ack": Example(
        {"alert_id": ALERT},
        {"by": "lin", "note": "more is on its way"},
        fixed=False,
        answer={
            **_ALERT,
            "state": "acknowledged",
            "timeline": [
                *_TIMELINE,
                {
                    "at": "2025-11-11T12:03:10Z",
                    "state": "acknowledged",
                    "by": "lin",
                    "note": "more is on its way",
                    "delivery": None,
                },
            ],
        },
    ),
    "POST /api/v1/silences": Example(body=_SILENCE, status=201),
    "GET /api/v1/silences": Example({"limit": "10"}),
    "DELETE /api/v1/silences/{silence_id}": Example(
        {"silence_id": "5f0c1a9be2d34c70a86e1f3b9d2c4e57", "by": "lin"},
        fixed=False,
        answer={
            "id": "5f0c1a9be2d34c70a86e1f3b9d2c4e57",
            "matchers": {"rule": "stock_out", "item_id": "sku-1"},
            "starts_at": "2025-11-11T12:05:00Z",
            "ends_at": "2025-11-11T13:10:00Z",
            "state": "expired",
            "by": "lin",
            "comment": "sold out on purpose",
            "created_at": "2025-11-11T12:05:00Z",
            "repeats": None,
            "ended_by": "lin",
        },
    ),
    "GET /api/v1/rules": Example({"limit": "2"}, fixed=False),
    "GET /api/v1/audit": Example({"day": "2025-11-11"}, fixed=False),
    "GET /api/v1/rehearsals": Example({"limit": "10"}, fixed=False, answer=_REHEARSALS),
    "GET /api/v1/rehearsals/{name}": Example({"name": "friday"}, fixed=False, answer=_SCORECARD),
    "GET /api/v1/session": Example(
        answer={
            "login": True,
            "name": "lin",
            "role": "operator",
            "grants": [{"role": "operator", "campaigns": ["double-*"]}],
            "session": True,
            "operates": ["double-*"],
        },
        fixed=False,
    ),
    "GET /api/v1/activity": Example({"limit": "1", "action": "silence.create"}, fixed=False, answer=_ACTIVITY),
    "GET /healthz": Example(answer={"status": "ok"}),
    "GET /readyz": Example(answer={"status": "ready"}),
    "GET /metrics": Example(media="text/plain", answer='warroom_service_ready{service="metrics"} 1.0\n'),
}
