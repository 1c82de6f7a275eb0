"""What rules read: panels by a plain model, and readings by counting the events themselves."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.readings.asks import Ask, Curve
from services.alerts.readings.panel import Panel
from services.alerts.readings.panels import panel_dimension
from services.alerts.readings.reader import Reader, Wanted
from services.common.clock import MINUTE_MS, floor_minute, to_datetime
from services.common.store import Store, StorePool
from tests.support.rows import NOBODYS_PARTITION, insert_rows, money
from tests.support.store import fresh_campaign

MINUTES = 8
NOW = 1_700_000_005_000


@st.composite
def _reads(draw: st.DrawFn) -> list[tuple[int, int, dict[tuple[str, int], int]]]:
    """Reads of [since, until) in the order in which they are made, each with what the store then held."""
    head = 100
    reads = []
    for _ in range(draw(st.integers(1, 12))):
        head += draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20, -1, -30]))
        since = head - draw(st.integers(1, MINUTES + 2))
        rows = draw(
            st.dictionaries(
                st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.integers(since, head - 1)),
                st.integers(1, 9),
                max_size=30,
            )
        )
        reads.append((since, head, rows))
    return reads


@given(_reads())
def test_a_panel_tells_what_was_read_last_of_each_minute(
    reads: list[tuple[int, int, dict[tuple[str, int], int]]],
) -> None:
    """Catches: a slot of the ring that keeps an old minute, a value beyond the room, a gap that counts as zero."""
    panel = Panel(MINUTES, ("n",))
    known: dict[int, dict[str, int]] = {}
    for since, until, rows in reads:
        panel.replace(since, until, ((value, minute, [n]) for (value, minute), n in rows.items()))
        for minute in range(since, until):
            known[minute] = {value: n for (value, at), n in rows.items() if at == minute}
        for minute in range(until - MINUTES, until):
            if not panel.covers(minute):
                continue
            for later in range(minute, until):
                told = dict(zip(panel.values, panel.sums(later, later + 1)[:, 0].tolist(), strict=True))
                assert {value: n for value, n in told.items() if n} == known[later]
            whole = dict(zip(panel.values, panel.sums(minute, until)[:, 0].tolist(), strict=True))
            for value, total in whole.items():
                assert total == sum(known[at].get(value, 0) for at in range(minute, until))
        assert panel.covers(until - 1)


def test_only_the_store_answers_what_minutes_of_sums_cannot() -> None:
    assert panel_dimension(Ask(("gmv",), 600_000)) == ""
    assert panel_dimension(Ask(("gmv",), 600_000, "channel", (("channel", ("app",)),))) == "channel"
    assert panel_dimension(Ask(("ad_cost",), 600_000, "region")) == "region"
    # Distinct users, two dimensions, an order in two categories, items, a long window, a fixed start.
    assert panel_dimension(Ask(("uv",), 600_000)) is None
    assert panel_dimension(Ask(("gmv",), 600_000, "channel", (("region", ("CN-31",)),))) is None
    assert panel_dimension(Ask(("gmv",), 600_000, None, (("item_category", ("a", "b")),))) is None
    assert panel_dimension(Ask(("gmv",), 600_000, "item_id")) is None
    assert panel_dimension(Ask(("gmv",), 7_200_000)) is None
    assert panel_dimension(Ask(("gmv",), since_ms=5)) is None


@pytest.fixture
def campaign(store: Store) -> tuple[str, list[dict[str, Any]]]:
    """Orders and spend of an hour and a half up to `NOW`, in the store and as plain values."""
    name = fresh_campaign("readings")
    rng = random.Random(7)
    events = []
    for number in range(800):
        kind = rng.choice(["order_created", "order_paid", "payment_failed", "ad_spend"])
        events.append(
            {
                "name": kind,
                "at": NOW - rng.randrange(90 * MINUTE_MS),
                "channel": rng.choice(["app", "web", "live"]),
                "region": rng.choice(["CN-31", "CN-44"]),
                "user": f"u{rng.randrange(60)}",
                "cents": rng.randrange(1, 100_000),
                "id": f"{name}-{number}",
            }
        )
    _write(store, name, events)
    return name, events


def _write(store: Store, campaign: str, events: list[dict[str, Any]]) -> None:
    orders, spends = [], []
    for number, event in enumerate(events):
        common = {
            "arrived_at": to_datetime(NOW),
            "kafka_partition": NOBODYS_PARTITION,
            "kafka_offset": number,
            "event_id": event["id"],
            "event_name": event["name"],
            "event_time": to_datetime(event["at"]),
            "campaign_id": campaign,
            "channel": event["channel"],
            "region": event["region"],
        }
        if event["name"] == "ad_spend":
            spends.append(common | {"cost": money(event["cents"]), "currency": "CNY"})
        else:
            orders.append(
                common
                | {
                    "user_id": event["user"],
                    "order_id": event["id"],
                    "value": money(event["cents"]),
                    "currency": "CNY",
                    "original_value": money(event["cents"]),
                }
            )
    insert_rows(store, "order_events", orders)
    insert_rows(store, "spend_events", spends)


def _plain(events: list[dict[str, Any]], start: int, end: int, by: str | None, keep: dict[str, str]) -> Any:
    """The same, counted from the events."""
    told: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if start <= event["at"] < end and all(event[name] == value for name, value in keep.items()):
            groups.setdefault(event[by] if by else "", []).append(event)
    for value, mine in groups.items():
        paid = [event for event in mine if event["name"] == "order_paid"]
        failed = [event for event in mine if event["name"] == "payment_failed"]
        cost = Decimal(sum(event["cents"] for event in mine if event["name"] == "ad_spend")) / 100
        gmv = Decimal(sum(event["cents"] for event in paid)) / 100
        told[value] = {
            "orders_paid": len(paid),
            "payments_failed": len(failed),
            "paid_gmv": gmv,
            "roas": float(gmv / cost) if cost else None,
            "buyers": len({event["user"] for event in paid}),
        }
    return told


QUICK = ("orders_paid", "payments_failed", "paid_gmv", "roas")
CASES: list[tuple[Ask, dict[str, str]]] = [
    (Ask(QUICK, 10 * MINUTE_MS), {}),
    (Ask(QUICK, 60 * MINUTE_MS, "channel"), {}),
    (Ask(QUICK, 30 * MINUTE_MS, "region", end="complete"), {}),
    (Ask(QUICK, 30 * MINUTE_MS, None, (("channel", ("app",)),)), {"channel": "app"}),
    (Ask(QUICK, 30 * MINUTE_MS, "channel", (("region", ("CN-31",)),)), {"region": "CN-31"}),
    (Ask((*QUICK, "buyers"), 15 * MINUTE_MS, "channel", end="complete"), {}),
    (Ask((*QUICK, "buyers"), since_ms=NOW - 80 * MINUTE_MS), {}),
]


async def test_readings_say_what_the_events_say(store: Store, campaign: tuple[str, list[dict[str, Any]]]) -> None:
    """Catches: an edge a minute off, money in cents, a filter that is passed over, a window beyond the watermark."""
    name, events = campaign
    pool = StorePool(store, threads=1, name="readings")
    watermark = NOW - 3 * MINUTE_MS
    try:
        reader = Reader(pool)
        wanted = {name: Wanted([ask for ask, _ in CASES], None)}
        for _ in range(3):
            answered = (await reader.read(NOW, watermark, wanted))[name]
    finally:
        await pool.close()
    for ask, keep in CASES:
        end = floor_minute(watermark) if ask.end == "complete" else floor_minute(NOW) + MINUTE_MS
        start = end - ask.window_ms if ask.since_ms is None else floor_minute(ask.since_ms)
        reading = answered.readings[ask]
        assert (reading.start_ms, reading.end_ms) == (start, end)
        plain = _plain(events, start, end, ask.by, keep)
        assert reading.rows == {value: {metric: row[metric] for metric in ask.metrics} for value, row in plain.items()}


async def test_a_curve_has_every_step(store: Store, campaign: tuple[str, list[dict[str, Any]]]) -> None:
    """Catches: steps that are shifted, a step without events that is left out, users added up over steps."""
    name, events = campaign
    curves = [
        Curve(("orders_paid", "paid_gmv"), 5 * MINUTE_MS, 30 * MINUTE_MS, "channel"),
        Curve(("buyers",), 10 * MINUTE_MS, 40 * MINUTE_MS),
    ]
    pool = StorePool(store, threads=1, name="readings")
    try:
        answered = (await Reader(pool).read(NOW, NOW, {name: Wanted(curves, None)}))[name]
    finally:
        await pool.close()
    for ask in curves:
        curve = answered.curves[ask]
        assert (curve.steps, curve.end_ms) == (ask.length_ms // ask.step_ms, floor_minute(NOW))
        for value, told in curve.rows.items():
            for step in range(curve.steps):
                start = curve.start_ms + step * curve.step_ms
                plain = _plain(events, start, start + curve.step_ms, ask.by, {}).get(value)
                for metric, numbers in told.items():
                    assert numbers[step] == (plain[metric] if plain else 0)


async def test_what_comes_late_is_read_within_a_quarter_of_a_minute(
    store: Store, campaign: tuple[str, list[dict[str, Any]]]
) -> None:
    name, events = campaign
    ask = Ask(("orders_paid",), 10 * MINUTE_MS)
    wanted = {name: Wanted([ask], None)}
    pool = StorePool(store, threads=1, name="readings")
    late = {**events[0], "name": "order_paid", "at": NOW - 8 * MINUTE_MS, "id": f"{name}-late"}
    try:
        reader = Reader(pool)
        before = (await reader.read(NOW, NOW, wanted))[name].readings[ask].rows[""]["orders_paid"]
        _write(store, name, [late])
        after = (await reader.read(NOW + 15_000, NOW, wanted))[name].readings[ask].rows[""]["orders_paid"]
    finally:
        await pool.close()
    assert before is not None
    assert after == before + 1
