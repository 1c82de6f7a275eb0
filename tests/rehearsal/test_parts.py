"""The small parts of a rehearsal: its clock, its turnstile, its receiver, what it reads of the alerts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from services.rehearsal.clock import VirtualClock
from services.rehearsal.pages import deliveries, pages
from services.rehearsal.receiver import Notice, receiving
from services.rehearsal.turnstile import Turnstile


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-5_000, 20_000))))
def test_the_virtual_clock_never_goes_back(course: list[tuple[int, int]]) -> None:
    """Catches: a step that ends after the next one was to begin, and sets the clock back to it."""
    running = 0
    clock = VirtualClock(1_000_000, lambda: running)
    before = clock()
    assert before == 1_000_000
    for passed, push in course:
        running += passed
        assert clock() == before + passed
        clock.push(before + push)
        assert clock() == max(before + passed, before + push)
        before = clock()


async def test_a_turnstile_lets_one_round_pass() -> None:
    """Catches: a look that is counted before it is over, a second one that nobody asked for, a stop that hangs."""
    turnstile, stop = Turnstile(), asyncio.Event()
    rounds = 0

    async def service() -> None:
        nonlocal rounds
        while not stop.is_set():
            await asyncio.sleep(0)
            rounds += 1
            await turnstile.rest(stop, 1.0)

    task = asyncio.create_task(service())
    async with asyncio.timeout(60):
        for number in range(2, 5):
            await turnstile.turn()
            assert rounds == number
        stop.set()
        await task


async def test_the_receiver_counts_what_it_is_told() -> None:
    """Catches: notices lost on a connection that is kept, or counted twice."""
    async with receiving() as receiver, httpx.AsyncClient(trust_env=False) as client:
        for status, alert in (("firing", "a"), ("resolved", "a"), ("firing", "b"), ("firing", "a")):
            body = {"alerts": [{"status": status, "annotations": {"alert_id": alert}}]}
            assert (await client.post(receiver.url, content=json.dumps(body))).status_code == 200
        assert await receiver.received(4, 5)
        assert not await receiver.received(5, 0.01)
    assert receiver.notices == {Notice("a", "firing"): 2, Notice("a", "resolved"): 1, Notice("b", "firing"): 1}


def _row(alert: str, moment: int, state: str, notice: str) -> Mapping[str, Any]:
    return {
        "alert_id": alert,
        "seq": 1,
        "moment": moment,
        "state": state,
        "rule": "stock_out",
        "severity": "critical",
        "campaign_id": "c",
        "labels": '{"campaign_id":"c"}',
        "evidence": '{"events":[[1,"o1","9.90"]]}',
        "summary": "",
        "notice": notice,
    }


def test_an_alert_is_paged_when_somebody_is_told() -> None:
    """Catches: the delay of a page that was held back, taken from when the alert began to fire."""
    rows = [
        _row("late", 1_000, "firing", ""),
        _row("late", 9_000, "firing", "firing"),
        _row("never", 2_000, "firing", ""),
        _row("late", 9_500, "resolved", "resolved"),
        _row("late", 9_900, "firing", "firing"),
    ]
    found = {(page.alert_id, page.number): (page.paged, page.told_at) for page in pages(rows)}
    assert found == {("late", 1): (True, 9_000), ("late", 2): (True, 9_900), ("never", 1): (False, 2_000)}
    assert {ref for page in pages(rows) for ref in page.refs} == {"o1"}


def test_every_notice_should_have_come_once() -> None:
    """Catches: a lost page and a doubled one that cancel each other out."""
    rows = [_row("a", 1, "firing", "firing"), _row("a", 2, "resolved", "resolved"), _row("b", 3, "firing", "firing")]
    received = Counter({Notice("a", "firing"): 2, Notice("a", "resolved"): 1})
    told = deliveries(rows, received)
    assert (told.due, told.once, told.never, told.again) == (3, 1, 1, 1)
