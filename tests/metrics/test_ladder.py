"""The money ladder against plain Python: a refund subtracted twice, or a brusher spared at the edge of the period."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_ms
from services.common.query.ladder import RUNGS, Rung, Sums, ladder, rungs
from services.common.query.question import Question
from services.common.store import Store, StorePool
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.shop import SPAN_MS, START, START_MS, Event, orders, scatter
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

HOUR_MS = 3_600_000
MONEY = st.integers(0, 10**9).map(money)


def suspected(events: list[Event], least: int) -> set[str]:
    """The order ids of which a payment is suspected."""
    paid = [event for event in events if event["event_name"] == "order_paid"]
    often: Counter[tuple[str, str, int]] = Counter()
    for event in paid:
        for key in ("user_id", "device_id"):
            if event[key]:
                often[key, event[key], to_ms(event["event_time"]) // HOUR_MS] += 1
    return {
        event["order_id"]
        for event in paid
        if any(
            often[key, event[key], to_ms(event["event_time"]) // HOUR_MS] >= least for key in ("user_id", "device_id")
        )
    }


def amount_of(event: Event, item: str | None) -> Decimal | None:
    """The event's amount under a filter by item; None when the filter leaves it out."""
    if item is None:
        return Decimal(event["value"])
    names = event["line_item_id"] or ["unknown"]
    if item not in names:
        return None
    amounts = event["line_amount"] if event["line_item_id"] else [event["value"]]
    return sum((amount for name, amount in zip(names, amounts, strict=True) if name == item), Decimal(0))


def expected(events: list[Event], start: int, end: int, least: int, filters: dict[str, str]) -> list[Rung]:
    brushed = suspected(events, least)
    sums: dict[str, Decimal] = Counter()  # type: ignore[assignment]
    ids: dict[str, set[str]] = {name: set() for name in ("placed", "paid", "refunded", "bad_paid", "bad_refunded")}
    for event in events:
        amount = amount_of(event, filters.get("item_id"))
        if not start <= to_ms(event["event_time"]) < end or amount is None:
            continue
        if event["channel"] != filters.get("channel", event["channel"]):
            continue
        name = {"order_created": "placed", "order_paid": "paid", "order_refunded": "refunded"}.get(event["event_name"])
        if name is None:
            continue
        for key in (name, f"bad_{name}") if event["order_id"] in brushed and name != "placed" else (name,):
            sums[key] += amount
            ids[key].add(event["order_id"] if name == "refunded" else event["event_id"])
    net = sums["paid"] - sums["refunded"]
    amounts = (
        sums["placed"] + Decimal(0),
        sums["paid"] + Decimal(0),
        net,
        net - sums["bad_paid"] + sums["bad_refunded"],
    )
    kept = len(ids["paid"]) - len(ids["refunded"])
    numbers = (len(ids["placed"]), len(ids["paid"]), kept, kept - len(ids["bad_paid"]) + len(ids["bad_refunded"]))
    placed = amounts[0]
    return [
        Rung(name, Decimal(amount), number, float(amount / placed) if placed else None)
        for name, amount, number in zip(RUNGS, amounts, numbers, strict=True)
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(0, SPAN_MS // MINUTE_MS),
    length=st.integers(1, SPAN_MS // MINUTE_MS),
    least=st.integers(2, 6),
    filters=st.sampled_from(
        [{}, {"channel": "app"}, {"item_id": "shoe"}, {"item_id": "unknown"}, {"channel": "web", "item_id": "hat"}]
    ),
)
async def test_the_ladder_is_that_of_plain_python(
    store: Store, seed: int, first: int, length: int, least: int, filters: dict[str, str]
) -> None:
    rng, campaign = random.Random(seed), fresh_campaign("ladder")
    events = orders(rng, campaign, 40)
    scatter(rng, store, "order_events", events)
    start = START_MS + first * MINUTE_MS
    question = Question(
        campaign, start, start + length * MINUTE_MS, filters={name: (value,) for name, value in filters.items()}
    )
    pool = StorePool(store, threads=1, name="test")
    try:
        found = await ladder(pool, question, least)
    finally:
        await pool.close()
    assert found == expected(events, question.start_ms, question.end_ms, least, filters)


@given(
    placed=MONEY,
    paid=MONEY,
    refunded=MONEY,
    parts=st.tuples(st.integers(0, 100), st.integers(0, 100)),
)
def test_suspicion_takes_away_what_is_left_of_suspected_orders(
    placed: Decimal, paid: Decimal, refunded: Decimal, parts: tuple[int, int]
) -> None:
    bad_paid, bad_refunded = (total * part / 100 for total, part in zip((paid, refunded), parts, strict=True))
    steps = rungs(Sums(placed, 9, paid, 8, refunded, 3, bad_paid, 4, bad_refunded, 2))
    assert [step.orders for step in steps] == [9, 8, 5, 3]
    assert steps[2].amount == paid - refunded
    assert steps[3].amount == (paid - bad_paid) - (refunded - bad_refunded)
    assert all((step.share is None) == (placed == 0) for step in steps)


def order(campaign: str, name: str, minutes_ago: float, number: int, **fields: Any) -> Event:
    return {
        "event_id": f"{name}-{number}",
        "event_name": name,
        "event_time": START + timedelta(hours=1, minutes=-minutes_ago),
        "campaign_id": campaign,
        "user_id": f"user-{number}",
        "device_id": "",
        "order_id": f"order-{number}",
        "channel": "app",
        "value": money(10_000),
        **fields,
    }


async def test_ten_orders_of_one_device_within_an_hour_are_under_suspicion(store: Store, desk: Desk) -> None:
    """Nine of them before the period: they count for the suspicion and not for the sums."""
    events = [order(desk.campaign, "order_paid", 30 - n, n, device_id="farm") for n in range(10)]
    events += [order(desk.campaign, "order_created", 5, 20), order(desk.campaign, "order_paid", 5, 20)]
    events += [order(desk.campaign, "order_refunded", 4, 9, value=money(2_500))]
    insert_rows(store, "order_events", events)
    desk.now_ms = NOW_MS
    answer = (
        await desk.client.get(
            f"{desk.path}/ladder", params={"from": "2026-11-10T22:39:00Z", "to": "2026-11-10T23:00:00Z"}
        )
    ).json()
    assert [row | {"complete_until": None} for row in answer["rows"]] == [
        {"rung": "placed", "amount": "100.00", "orders": 1, "share": 1.0, "complete_until": None},
        {"rung": "paid", "amount": "200.00", "orders": 2, "share": 2.0, "complete_until": None},
        {"rung": "net_of_refunds", "amount": "175.00", "orders": 1, "share": 1.75, "complete_until": None},
        {"rung": "net_of_suspicion", "amount": "100.00", "orders": 1, "share": 1.0, "complete_until": None},
    ]
    assert {"as_of", "watermark", "watermarks", "complete"} <= answer.keys()


async def test_a_filter_that_orders_do_not_carry_leaves_the_ladder_empty(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [order(desk.campaign, "order_paid", 5, 1)])
    rows = (await desk.client.get(f"{desk.path}/ladder", params={"device_category": "mobile"})).json()["rows"]
    assert [(row["rung"], row["amount"], row["orders"], row["share"]) for row in rows] == [
        (name, None, None, None) for name in RUNGS
    ]
    refused = await desk.client.get(f"{desk.path}/ladder", params={"chanel": "app"})
    assert (refused.status_code, refused.json()["field"]) == (422, "chanel")
