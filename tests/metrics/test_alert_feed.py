"""What a screen is told of alerts: who has taken one on, who hears of it, and nobody's ids."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import Life, State
from services.common.store import Store, StorePool
from services.metrics.alert_feed import read_alert_feed
from tests.metrics.conftest import NOW_MS
from tests.support.store import fresh_campaign


class Case:
    """One alert that is moved on by hand."""

    def __init__(self, pool: StorePool) -> None:
        self.campaign = fresh_campaign("feed")
        self.ledger = Ledger(pool)
        self.pool = pool
        labels = {"campaign_id": self.campaign, "suspect": "0f1e2d3c4b5a6978"}
        print_ = fingerprint_of("refund_abuse", labels)
        self.alert = Alert(
            id=alert_id(NOW_MS, print_), rule="refund_abuse", severity="warning", campaign_id=self.campaign,
            labels=labels, fingerprint=print_, life=Life(State.PENDING, NOW_MS), value=9, threshold=5, summary="",
            runbook="", starts_at=NOW_MS, complete_until=NOW_MS,
            evidence={"unit": "refunds", "events": [[NOW_MS, "order-4711", "9.90"]]},
        )  # fmt: skip

    async def moves(self, state: State, *, actor: str = "", mute: str = "") -> dict[str, Any]:
        """How the feed tells it after one more transition, ten seconds later."""
        seq = self.alert.seq + 1
        life = replace(self.alert.life, state=state, fired_at=NOW_MS, ends_at=NOW_MS if state == "resolved" else None)
        self.alert = replace(self.alert, seq=seq, life=life, mute=mute)
        await self.ledger.record([Transition(self.alert, NOW_MS + 10_000 * seq, actor=actor)])
        (told,) = await read_alert_feed(self.pool, self.campaign)
        return told.told


@pytest.fixture
async def case(store: Store) -> AsyncIterator[Case]:
    pool = StorePool(store, threads=1, name="test")
    case = Case(pool)
    yield case
    # What is left open, every alerts service on this store would take over.
    await case.moves(State.RESOLVED)
    await pool.close()


async def test_tells_who_took_it_on_for_as_long_as_that_holds(case: Case) -> None:
    """Catches: a name that is lost with the next transition, or that stays when the alert fires anew."""
    told = await case.moves(State.FIRING)
    assert (told["acknowledged_by"], told["acknowledged_at"]) == (None, None)
    at = "2026-11-11T00:00:50Z"
    for state, actor in ((State.ACKNOWLEDGED, "李雷"), (State.ACKNOWLEDGED, ""), (State.RESOLVED, "")):
        told = await case.moves(state, actor=actor)
        assert (told["state"], told["acknowledged_by"], told["acknowledged_at"]) == (state, "李雷", at)
    told = await case.moves(State.FIRING)
    assert (told["acknowledged_by"], told["acknowledged_at"]) == (None, None)
    assert (await case.moves(State.ACKNOWLEDGED, actor="mei"))["acknowledged_by"] == "mei"


async def test_tells_why_receivers_hear_nothing(case: Case) -> None:
    assert (await case.moves(State.FIRING))["mute"] == ""
    assert (await case.moves(State.FIRING, mute="silenced"))["mute"] == "silenced"


async def test_tells_no_ids_of_orders_or_coupons(case: Case) -> None:
    """Catches: what risk control needs being sent each second to a screen on a wall."""
    told = await case.moves(State.FIRING)
    assert told["evidence"] == {"unit": "refunds"}
    assert "order-4711" not in str(told)
