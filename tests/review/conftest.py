"""Numbers, alerts and the report in one application, on a real store, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.lifecycle import Life, State
from services.alerts.service import AlertsService
from services.common.clock import to_ms
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.metrics.service import MetricsService
from services.review.service import ReviewService
from tests.review.festival import NOW, START, YEAR, Festival, declared, festival
from tests.support.store import fresh_campaign

NOBODY = "http://127.0.0.1:9"
"""Where nobody listens."""


@dataclass
class Desk:
    """A client of the application; `now_ms` is its clock."""

    client: httpx.AsyncClient
    app: FastAPI
    store: Store
    alerts: AlertsService
    now_ms: int = to_ms(NOW)

    async def declare(self, campaign: str, body: dict[str, object]) -> None:
        answer = await self.client.put(f"/api/v1/campaigns/{campaign}", json=body)
        assert answer.is_success, answer.text

    async def incident(
        self,
        campaign: str,
        rule: str,
        starts: datetime,
        *,
        labels: dict[str, str],
        severity: str = "critical",
        fired: int = 2,
        paged: int | None = None,
        taken: int | None = None,
        resolved: int | None = None,
        summary: str = "something is wrong",
        cause: str = "",
    ) -> Alert:
        """Writes an alert's life into the ledger; the times are seconds after its onset."""
        labels = {"campaign_id": campaign, **labels}
        mark = fingerprint_of(rule, labels)
        onset = to_ms(starts)
        name = alert_id(onset, mark)
        steps: list[tuple[int, State, str]] = [(fired, State.FIRING, "firing")]
        steps += [(taken, State.ACKNOWLEDGED, "acknowledged")] if taken is not None else []
        steps += [(resolved, State.RESOLVED, "resolved")] if resolved is not None else []
        transitions = []
        for seq, (seconds, state, notice) in enumerate(steps, start=1):
            at = onset + seconds * 1000
            life = Life(state, onset, onset + fired * 1000, ends_at=at if state is State.RESOLVED else None)
            alert = Alert(
                id=name, rule=rule, severity=severity, campaign_id=campaign, labels=labels, fingerprint=mark,
                life=life, value=1.0, threshold=0.0, summary=summary, runbook="look", starts_at=onset,
                complete_until=at, seq=seq, incident=cause or name,
                annotations={"summary": summary, "summary_zh": f"中文 {summary}"},
            )  # fmt: skip
            transitions.append(Transition(alert, at, "zhang.san" if state is State.ACKNOWLEDGED else "", "", notice))
        await self.alerts.ledger.record(transitions)
        if paged is not None:
            await self.alerts.ledger.record_deliveries(
                [(transitions[0], 1)], "phone", "delivered", "", onset + paged * 1000
            )
        return transitions[-1].alert


@asynccontextmanager
async def desk_at(store: Store, *, alerts_here: bool = True, alerts_url: str | None = None) -> AsyncIterator[Desk]:
    """The application on a store; without alerts it is `warroom metrics` in a process of its own."""
    current: list[Desk] = []
    settings = Settings(external_url=NOBODY, alerts_url=alerts_url)

    def clock() -> int:
        return current[0].now_ms if current else to_ms(NOW)

    metrics = MetricsService(settings, store, clock=clock, background=False)
    alerts = AlertsService(settings, store, clock=clock)
    app = build_app([metrics, ReviewService(settings), *([alerts] if alerts_here else [])])
    stop = asyncio.Event()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://warroom") as client:
        current.append(Desk(client, app, store, alerts))
        running = asyncio.create_task(metrics.run(stop))
        yield current[0]
        stop.set()
        await asyncio.wait_for(running, 60)


@dataclass
class Told:
    """A festival that is over, the one before it, and what went wrong."""

    now: Festival
    then: Festival
    incidents: Sequence[Alert]

    @property
    def path(self) -> str:
        return f"/campaigns/{self.now.campaign}/review"


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async with desk_at(store) as desk:
        yield desk


async def tell(desk: Desk) -> Told:
    """Two festivals in the store, two incidents of which one had a consequence, and a stock-out that lasted."""
    now = festival(fresh_campaign("review"))
    then = festival(fresh_campaign("review"), start=START - YEAR, visitors=90, seed=2)
    for made in (now, then):
        made.store(desk.store)
    await desk.declare(then.campaign, {**declared(None), "start": then.start.isoformat(),
        "end": (then.start + timedelta(hours=4)).isoformat(), "phases": [], "targets": {}, "calendar": []})  # fmt: skip
    await desk.declare(now.campaign, declared(then.campaign))
    out = await desk.incident(
        now.campaign, "stock_out", START + timedelta(hours=2), labels={"item_id": "shoe"}, paged=12, taken=72,
        resolved=1800, summary="Item <b>shoe</b> | is [sold](javascript:alert(1)) out",
    )  # fmt: skip
    payment = await desk.incident(
        now.campaign, "payment_failure", START + timedelta(hours=3), labels={"channel": "app"}, severity="warning",
        fired=40, paged=42, resolved=600,
    )  # fmt: skip
    await desk.incident(
        now.campaign, "conversion_drop", START + timedelta(hours=3, minutes=1), labels={"channel": "app"},
        severity="warning", cause=payment.id,
    )  # fmt: skip
    return Told(now, then, [out, payment])
