"""A snapshot of a moment, and through a filter, against the same events read plainly."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.metrics import DIMENSIONS, Kind
from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import Life, State
from services.common.clock import MINUTE_MS, floor_minute, to_datetime, to_ms
from services.common.errors import StoreUnavailable
from services.common.store import Store, StorePool
from services.common.tabular import money_text, time_text
from services.metrics.wall import day, moment, panels
from tests.metrics.conftest import Desk
from tests.metrics.shop import SPAN_MS, START, START_MS, Event, orders, scatter, spend, visits
from tests.support.rows import insert_rows
from tests.support.store import fresh_campaign

SECOND_MS = 1000
EARLIER = timedelta(days=1, minutes=7)
"""How long before the campaign its baseline began."""
BURST_MS = START_MS + SPAN_MS // 2
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"channel": "app"},
    {"region": "CN-31"},
    {"item_id": "shoe"},
    {"item_category": "clothes"},
    {"customer_type": "new"},
    {"device_category": "mobile"},
    {"channel": "web", "region": "CN-31"},
    {"channel": "app", "item_id": "hat"},
    {"phase": "burst"},
    {"phase": "burst", "channel": "app"},
)


def values_of(event: Event, dimension: str) -> set[str]:
    """What an event has of a dimension."""
    if dimension == "phase":
        return {"burst" if to_ms(event["event_time"]) >= BURST_MS else "warm-up"}
    if dimension in ("item_id", "item_category") and "line_item_id" in event:
        return set(event[f"line_{dimension}"]) or {"unknown"}
    return {str(event.get(dimension, "unknown"))}


def kept(event: Event, filters: dict[str, str]) -> bool:
    return all(value in values_of(event, name) for name, value in filters.items())


def amount_of(event: Event, filters: dict[str, str]) -> Decimal:
    """The event's amount, or that of those of its lines that the filters keep."""
    wanted = {name: value for name, value in filters.items() if name in ("item_id", "item_category")}
    if not wanted:
        return Decimal(event["value"])
    if not event["line_item_id"]:
        return Decimal(event["value"]) if all(value == "unknown" for value in wanted.values()) else Decimal(0)
    lines = zip(event["line_item_id"], event["line_item_category"], event["line_amount"], strict=True)
    return sum(
        (
            amount
            for item, category, amount in lines
            if {"item_id": item, "item_category": category}.items() >= wanted.items()
        ),
        Decimal(0),
    )


class Reading:
    """Events of one campaign, read plainly."""

    def __init__(self, orders: list[Event], traffic: list[Event], filters: dict[str, str]) -> None:
        self.filters = filters
        self.orders = [event for event in orders if kept(event, filters)]
        self.traffic = [event for event in traffic if kept(event, filters)]

    def within(self, start_ms: int, end_ms: int, name: str = "") -> list[Event]:
        return [
            event
            for event in (self.orders if name else self.traffic)
            if start_ms <= to_ms(event["event_time"]) < end_ms and name in ("", event["event_name"])
        ]

    def money(self, start_ms: int, end_ms: int, name: str = "order_created") -> Decimal:
        return sum((amount_of(event, self.filters) for event in self.within(start_ms, end_ms, name)), Decimal(0))


def carried(kind: Kind, filters: dict[str, str]) -> bool:
    return all(kind in DIMENSIONS[name] for name in filters)


async def declare(desk: Desk, name: str, start: datetime, baseline: str | None = None) -> str:
    burst, end = start + timedelta(hours=2), start + timedelta(hours=4)
    body = {
        "name": name,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "phases": [
            {"name": "warm-up", "start": start.isoformat(), "end": burst.isoformat()},
            {"name": "burst", "start": burst.isoformat(), "end": end.isoformat()},
        ],
        "targets": {"gmv": "1000.00"},
        "baseline_campaign_id": baseline,
    }
    path = f"/api/v1/campaigns/{name}"
    assert (await desk.client.put(path, json=body)).is_success
    return path


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    # Near a moment of the shop as well as anywhere: bounds are where it goes wrong.
    after_ms=st.one_of(
        st.integers(0, SPAN_MS),
        st.tuples(st.integers(0, 39), st.integers(-1, 1)).map(lambda near: max(0, near[0] * (SPAN_MS // 40) + near[1])),
    ),
    filters=st.sampled_from(FILTERS),
)
async def test_a_snapshot_of_a_moment_is_what_had_happened_until_then(
    store: Store, desk: Desk, seed: int, after_ms: int, filters: dict[str, str]
) -> None:
    """Catches: a panel that shows what came later, a second told twice or never, a filter that one panel forgets."""
    rng, campaign, before = random.Random(seed), fresh_campaign("moment"), fresh_campaign("before")
    desk.now_ms = START_MS + SPAN_MS + 3_600_000
    path = await declare(desk, campaign, START, before)
    await declare(desk, before, START - EARLIER)
    told, seen = orders(rng, campaign, 60), visits(rng, campaign, 60)
    earlier = [event | {"event_time": event["event_time"] - EARLIER} for event in orders(rng, before, 20)]
    scatter(rng, store, "order_events", [*told, *earlier])
    scatter(rng, store, "traffic_events", seen)
    scatter(rng, store, "spend_events", spend(rng, campaign, 10))
    at = START_MS + after_ms
    answer = await desk.client.get(f"{path}/snapshot", params={"at": to_datetime(at).isoformat(), **filters})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    at -= at % SECOND_MS
    full = floor_minute(at)
    assert shown["lens"] == {
        "filters": filters,
        "at": time_text(to_datetime(at).astimezone(_zone(shown["lens"]["at"]))),
    }
    events = Reading(told, seen, filters)
    sold = carried(Kind.ORDERS, filters)

    metrics, minute = shown["overview"]["metrics"], shown["current_minute"]
    assert metrics["gmv"] == (money_text(events.money(START_MS, full)) if sold else None)
    assert metrics["orders_paid"] == (len(events.within(START_MS, full, "order_paid")) if sold else None)
    visited = {event["user_id"] for event in events.within(START_MS, full)}
    assert metrics["uv"] == (len(visited) if carried(Kind.TRAFFIC, filters) else None)
    for name, event in (("gmv", "order_created"), ("paid_gmv", "order_paid")):
        assert minute[name] == (money_text(events.money(full, at, event)) if sold else None)
    for event in ("order_created", "order_paid"):
        assert minute[f"orders_{event[6:]}"] == (len(events.within(full, at, event)) if sold else None)

    # Phases of the baseline are its own, and lie at the same distance from its start.
    moved = [event | {"event_time": event["event_time"] + EARLIER} for event in earlier]
    past = Reading(moved, [], filters)
    compared = shown["overview"]["baseline"]["metrics"]
    assert compared["gmv"] == (money_text(past.money(START_MS, full)) if sold else None)

    _agree_on_seconds(shown["pulse"]["rows"], events, at)
    _agree_on_the_day(shown["day"], events, past, full, sold=sold)
    if sold and "phase" not in filters:
        assert [row["amount"] for row in shown["ladder"]["rows"]][:2] == [
            money_text(events.money(START_MS, full, name)) for name in ("order_created", "order_paid")
        ]
    assert shown["funnel"]["rows"][0]["users"] in (len(visited), None)
    by_channel: dict[str, Decimal] = defaultdict(Decimal)
    for one in events.within(START_MS, full, "order_created"):
        by_channel[one["channel"]] += amount_of(one, filters)
    if sold:
        rows = {row["channel"]: Decimal(row["gmv"]) for row in shown["channels"]["rows"] if Decimal(row["gmv"])}
        assert rows == {name: amount for name, amount in by_channel.items() if amount}


def _zone(text: str) -> Any:
    return datetime.fromisoformat(text).tzinfo


def _agree_on_seconds(rows: list[dict[str, Any]], events: Reading, at: int) -> None:
    ways: dict[str, tuple[Kind, Callable[[int], Any]]] = {
        "events": (Kind.TRAFFIC, lambda s: len(events.within(s, s + SECOND_MS))),
        "orders_created": (Kind.ORDERS, lambda s: len(events.within(s, s + SECOND_MS, "order_created"))),
        "orders_paid": (Kind.ORDERS, lambda s: len(events.within(s, s + SECOND_MS, "order_paid"))),
        "gmv": (Kind.ORDERS, lambda s: money_text(events.money(s, s + SECOND_MS))),
        "paid_gmv": (Kind.ORDERS, lambda s: money_text(events.money(s, s + SECOND_MS, "order_paid"))),
    }
    told = {to_ms(datetime.fromisoformat(row["time"])): row for row in rows}
    assert list(told) == sorted(told)
    happened = {
        to_ms(event["event_time"]) // SECOND_MS * SECOND_MS
        for kind, found in ((Kind.ORDERS, events.orders), (Kind.TRAFFIC, events.traffic))
        for event in found
        if carried(kind, events.filters) and at - 600_000 <= to_ms(event["event_time"]) < at
    }
    assert set(told) == happened
    for second, row in told.items():
        assert {name: row[name] for name in ways} == {
            name: way(second) if carried(kind, events.filters) else None for name, (kind, way) in ways.items()
        }


def _agree_on_the_day(told: dict[str, Any], events: Reading, past: Reading, full: int, *, sold: bool) -> None:
    assert told["interval"] == "1m"
    assert len(told["rows"]) == SPAN_MS // MINUTE_MS <= day.MOST_ROWS
    for number, row in enumerate(told["rows"]):
        start = START_MS + number * MINUTE_MS
        assert to_ms(datetime.fromisoformat(row["time"])) == start
        if not sold or start >= full:
            assert row["gmv"] is None
        else:
            # Nothing is known to be complete here: a minute without events may be null.
            assert Decimal(row["gmv"] or 0) == events.money(start, start + MINUTE_MS)
        if not sold:
            assert row["baseline_gmv"] is None
        else:
            assert Decimal(row["baseline_gmv"] or 0) == past.money(start, start + MINUTE_MS)


async def test_stock_is_that_of_the_second_and_sells_as_it_did_then(store: Store, desk: Desk) -> None:
    """Catches: a level of the same minute that had not been reported yet, and sales of today that empty it."""
    desk.now_ms = START_MS + SPAN_MS
    path = await declare(desk, desk.campaign, START)
    noon = START + timedelta(hours=1)
    levels = [(-90, "shoe", 50), (10, "shoe", 30), (20, "shoe", 0), (40, "shoe", 70), (10, "hat", 9)]
    insert_rows(
        store,
        "stock_events",
        [
            {"event_name": "stock_level", "campaign_id": desk.campaign, "item_id": item, "available": left,
             "event_time": noon + timedelta(seconds=seconds), "safety_stock": -1}
            for seconds, item, left in levels
        ],
    )  # fmt: skip
    insert_rows(
        store,
        "order_events",
        [
            {"event_name": "order_paid", "campaign_id": desk.campaign, "event_id": f"o{number}", "user_id": "u",
             "value": Decimal(1), "event_time": noon + timedelta(minutes=minutes), "line_item_id": ["shoe"],
             "line_item_category": ["x"], "line_quantity": [30], "line_amount": [Decimal(1)]}
            for number, minutes in enumerate((-20, -5, 30))
        ],
    )  # fmt: skip

    async def stock(seconds: int) -> dict[str, Any]:
        at = (noon + timedelta(seconds=seconds)).isoformat()
        answer = await desk.client.get(f"{path}/snapshot", params={"at": at})
        return {row["item_id"]: row for row in answer.json()["inventory"]["rows"]}

    assert {name: row["available"] for name, row in (await stock(10)).items()} == {"shoe": 50}
    shown = (await stock(15))["shoe"]
    assert (shown["available"], shown["sell_rate_per_minute"]) == (30, 2.0)
    assert datetime.fromisoformat(shown["stockout_eta"]) == noon + timedelta(seconds=15, minutes=15)
    out = (await stock(25))["shoe"]
    assert (out["available"], out["at_risk"]) == (0, True)
    assert datetime.fromisoformat(out["stockout_eta"]) == noon + timedelta(seconds=25)
    assert {name: row["available"] for name, row in (await stock(61)).items()} == {"shoe": 70, "hat": 9}


async def test_alerts_are_told_as_they_stood(store: Store, desk: Desk) -> None:
    """Catches: an alert that is shown resolved, or taken on, before it was; one that had not fired yet."""
    desk.now_ms = START_MS + SPAN_MS
    path = await declare(desk, desk.campaign, START)
    labels = {"campaign_id": desk.campaign, "channel": "app"}
    mark = fingerprint_of("traffic_spike", labels)
    onset = START_MS + 3_600_000
    alert = Alert(
        id=alert_id(onset, mark), rule="traffic_spike", severity="warning", campaign_id=desk.campaign, labels=labels,
        fingerprint=mark, life=Life(State.PENDING, onset), value=9, threshold=5, summary="", runbook="",
        starts_at=onset, complete_until=onset, evidence={},
    )  # fmt: skip
    pool = StorePool(store, threads=1, name="test")
    try:
        steps = [(State.PENDING, ""), (State.FIRING, ""), (State.ACKNOWLEDGED, "mei"), (State.RESOLVED, "")]
        for number, (state, actor) in enumerate(steps, 1):
            ended = onset + 30_000 if state is State.RESOLVED else None
            life = replace(alert.life, state=state, fired_at=onset, ends_at=ended)
            moved = replace(alert, seq=number, life=life)
            await Ledger(pool).record([Transition(moved, onset + 10_000 * number, actor=actor)])
    finally:
        await pool.close()

    async def told(seconds: int) -> list[tuple[str, str | None, str | None]]:
        at = to_datetime(onset + seconds * SECOND_MS).isoformat()
        answer = await desk.client.get(f"{path}/snapshot", params={"at": at})
        rows = answer.json()["alerts"]["rows"]
        return [(row["state"], row["acknowledged_by"], row["ends_at"]) for row in rows if row["id"] == alert.id]

    assert await told(19) == []
    assert await told(20) == [("firing", None, None)]
    assert await told(35) == [("acknowledged", "mei", None)]
    assert await told(40) == [("resolved", "mei", time_text(to_datetime(onset + 30_000)))]


async def test_a_moment_that_is_none_of_the_campaign_is_refused_by_name(desk: Desk) -> None:
    """Catches: an empty screen where the address is wrong."""
    path = await declare(desk, desk.campaign, START)
    for at, why in (
        (to_datetime(desk.now_ms + 1000).isoformat(), "future"),
        ((START - timedelta(seconds=1)).isoformat(), "start"),
        ("2026-11-11T00:00:00", "offset"),
        ("noon", "RFC 3339"),
    ):
        answer = await desk.client.get(f"{path}/snapshot", params={"at": at})
        assert (answer.status_code, answer.json()["field"]) == (422, "at")
        assert why in answer.json()["detail"]
    for wrong in ("chanel", "from", "to"):
        answer = await desk.client.get(f"{path}/snapshot", params={wrong: "app"})
        assert (answer.status_code, answer.json()["field"]) == (422, wrong)
    assert (await desk.client.get("/api/v1/campaigns/nobody-knows/snapshot")).status_code == 404
    first = (await desk.client.get(f"{path}/snapshot", params={"at": START.isoformat()})).json()
    assert first["overview"]["metrics"]["gmv"] == "0.00"
    assert first["current_minute"]["gmv"] == "0.00"


@pytest.mark.parametrize("filters", [{}, {"channel": "app"}, {"item_id": "shoe"}, {"customer_type": "new"}])
async def test_the_stream_and_the_snapshot_of_now_say_the_same(
    store: Store, desk: Desk, filters: dict[str, str]
) -> None:
    """Catches: two ways to one number that drift apart."""
    rng = random.Random(6)
    desk.now_ms = START_MS + SPAN_MS // 2 + 30_000
    path = await declare(desk, desk.campaign, START)
    scatter(rng, store, "order_events", orders(rng, desk.campaign, 60))
    scatter(rng, store, "traffic_events", visits(rng, desk.campaign, 60))
    shown = (await desk.client.get(f"{path}/snapshot", params=filters)).json()
    assert shown["lens"] == {"filters": filters, "at": None}
    assert "current_minute" not in shown
    async with desk.snapshots(filters) as snapshots:
        streamed = (await snapshots.tick()).snapshot
    assert set(streamed) == set(shown)
    for name in set(shown) - {"watermark", "watermarks"}:
        assert _timeless(streamed[name]) == _timeless(shown[name]), name


def _timeless(panel: Any) -> Any:
    moving = {"watermark", "watermarks"}
    return {key: value for key, value in panel.items() if key not in moving} if isinstance(panel, dict) else panel


async def test_many_who_replay_at_a_time_wait_and_too_many_are_told_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: replays that starve the live screens, and a queue without end."""
    monkeypatch.setattr(moment, "MOST_WAITING", 1)
    desk.now_ms = START_MS + SPAN_MS
    path = await declare(desk, desk.campaign, START)
    asked = [
        desk.client.get(f"{path}/snapshot", params={"at": (START + timedelta(minutes=minute)).isoformat()})
        for minute in range(8)
    ]
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers].count(200) >= moment.AT_A_TIME + 1
    busy = [answer for answer in answers if answer.status_code != 200]
    assert busy
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in busy} == {(503, "1")}


async def test_a_store_that_fails_is_told_as_such(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches: one panel's failure that says nothing of its reason, because others were asked beside it."""

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    desk.now_ms = START_MS + SPAN_MS
    path = await declare(desk, desk.campaign, START)
    monkeypatch.setattr(panels, "ladder", away)
    for parameters in ({}, {"at": START.isoformat()}):
        answer = await desk.client.get(f"{path}/snapshot", params=parameters)
        assert (answer.status_code, answer.json()["title"]) == (503, "Store unavailable")
