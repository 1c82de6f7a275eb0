"""Notices to be delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from services.alerts.alert import Alert, Impact, Transition, alert_id, fingerprint_of
from services.alerts.lifecycle import Life, State

NOW = 1_762_790_400_000
_STATE = {
    "firing": State.FIRING,
    "escalated": State.FIRING,
    "acknowledged": State.ACKNOWLEDGED,
    "resolved": State.RESOLVED,
}


def notice(
    kind: str = "firing",
    *,
    labels: Mapping[str, str] | None = None,
    severity: str = "critical",
    summary: str = "Item sku-1 is sold out",
    runbook: str = "1. Take the item out of ads. 2. Offer its substitute.",
    rule: str = "stock_out",
    campaign: str = "double-11",
    now: int = NOW,
    seq: int = 1,
) -> Transition:
    """One notice of an alert that is named by its labels."""
    labels = {"campaign_id": campaign, "item_id": "sku-1"} if labels is None else labels
    # As JSON, as some of the labels have no UTF-8.
    fingerprint = fingerprint_of(rule, {"labels": json.dumps(labels)})
    ends_at = now + 60_000 if kind == "resolved" else None
    alert = Alert(
        id=alert_id(now, fingerprint),
        rule=rule,
        severity=severity,
        campaign_id=labels.get("campaign_id", campaign),
        labels=labels,
        fingerprint=fingerprint,
        life=Life(_STATE[kind], now, fired_at=now, ends_at=ends_at),
        value=0,
        threshold=0,
        summary=summary,
        runbook=runbook,
        starts_at=now,
        complete_until=now,
        seq=seq,
        notified=True,
        owner="growth-oncall",
        annotations={"summary": summary, "summary_zh": summary, "runbook": runbook, "runbook_zh": runbook},
        impact=Impact(Decimal("120.50"), "orders of the last ten minutes", "最近十分钟的订单"),
        incident=alert_id(now, fingerprint),
    )
    return Transition(alert, now + seq, notice=kind, actor="lin" if kind == "acknowledged" else "")
