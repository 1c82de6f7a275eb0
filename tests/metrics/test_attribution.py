"""Attribution against plain Python that looks at every touch of every payment."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.query.attribution import BY, MODELS, UNATTRIBUTED, Credit, attribute
from services.common.query.budgets import used_up
from services.common.query.question import Question
from services.common.store import Store, StorePool
from services.metrics.attribution import Burn
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.shop import SPAN_MS, START_MS, Event, orders, scatter, spend, visits
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

NOW = to_datetime(NOW_MS)
CREDITS = [(model, by) for model in MODELS for by in BY if model != "order" or by in ("channel", "utm_source")]


def credited_to(payment: Event, traffic: list[Event], credit: Credit) -> str:
    """What one payment is credited to."""
    if credit.model == "order":
        return str(payment[credit.by])
    paid = to_ms(payment["event_time"])
    touches = [
        touch
        for touch in traffic
        if touch["user_id"] == payment["user_id"] and paid - credit.lookback_ms <= to_ms(touch["event_time"]) <= paid
    ]
    marked = [
        touch for touch in touches if touch["utm_source"] != "unknown" or touch["utm_medium"] or touch["utm_campaign"]
    ]
    if credit.by != "channel" and marked:
        touches = marked
    if not touches:
        return UNATTRIBUTED
    choose = min if credit.model == "first_touch" else max
    return choose(touches, key=lambda touch: (touch["event_time"], touch["event_id"]))[credit.by] or "unknown"


def expected(events: list[Event], traffic: list[Event], credit: Credit) -> dict[str, tuple[object, ...]]:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    users: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    payments = sorted(
        (event for event in events if event["event_name"] == "order_paid"),
        key=lambda event: (event["event_time"], event["event_id"]),
    )
    for payment in payments:
        at, value = to_ms(payment["event_time"]), credited_to(payment, traffic, credit)
        if credit.start_ms <= at < credit.end_ms:
            sums[value][0] += 1
            sums[value][1] += payment["value"]
            users[value][0].add(payment["user_id"])
            if payment["customer_type"] == "new":
                users[value][1].add(payment["user_id"])
        if credit.hour_start_ms <= at < credit.hour_end_ms:
            sums[value][3] += payment["value"]
    for refund in events:
        if refund["event_name"] != "order_refunded":
            continue
        if credit.start_ms <= to_ms(refund["event_time"]) < credit.end_ms:
            first = next((payment for payment in payments if payment["order_id"] == refund["order_id"]), None)
            sums[UNATTRIBUTED if first is None else credited_to(first, traffic, credit)][2] += refund["value"]
    return {
        value: (int(found[0]), found[1], found[2], len(users[value][0]), len(users[value][1]), found[3])
        for value, found in sums.items()
    }


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(0, SPAN_MS // MINUTE_MS),
    length=st.integers(1, SPAN_MS // MINUTE_MS),
    lookback=st.integers(1, SPAN_MS // MINUTE_MS),
    at_once=st.sampled_from([1_000, 10]),
)
async def test_every_payment_and_refund_is_credited_as_in_plain_python(
    store: Store, seed: int, first: int, length: int, lookback: int, at_once: int
) -> None:
    rng, campaign = random.Random(seed), fresh_campaign("attribution")
    events, traffic = orders(rng, campaign, 30), visits(rng, campaign, 40)
    scatter(rng, store, "order_events", events)
    # Somebody else's traffic is nobody's touch here.
    scatter(rng, store, "traffic_events", traffic + visits(rng, fresh_campaign("other"), 20))
    start = START_MS + first * MINUTE_MS
    end = start + length * MINUTE_MS
    pool = StorePool(store, threads=1, name="test")
    try:
        for model, by in CREDITS:
            credit = Credit(campaign, start, end, model, by, lookback * MINUTE_MS, end - 60 * MINUTE_MS, end)
            found = await attribute(pool, credit, payments_at_once=at_once)
            assert {value: astuple(sums) for value, sums in found.items()} == expected(events, traffic, credit)
    finally:
        await pool.close()


async def test_channels_are_told_with_their_cost_and_their_return(store: Store, desk: Desk) -> None:
    def at(minutes_ago: float) -> datetime:
        return NOW - timedelta(minutes=minutes_ago)

    def visit(user: str, minutes_ago: float, **fields: Any) -> Event:
        return {
            "event_id": f"{user}-{minutes_ago}",
            "event_name": "page_view",
            "event_time": at(minutes_ago),
            "campaign_id": desk.campaign,
            "user_id": user,
            "utm_source": "unknown",
            "utm_medium": "",
            "utm_campaign": "",
            **fields,
        }

    def order(name: str, user: str, minutes_ago: float, cents: int) -> Event:
        return {
            "event_id": f"{name}-{user}-{minutes_ago}",
            "event_name": name,
            "event_time": at(minutes_ago),
            "campaign_id": desk.campaign,
            "user_id": user,
            "order_id": f"order-{user}",
            "channel": "store",
            "utm_source": "unknown",
            "customer_type": "new",
            "value": money(cents),
        }

    # Ann came by the app, was shown an ad, and came back by herself; Bob was never seen.
    insert_rows(
        store,
        "traffic_events",
        [
            visit("ann", 300, channel="app"),
            visit("ann", 200, channel="web", utm_source="feed", utm_medium="cpc", utm_campaign="warmup"),
            visit("ann", 150, channel="app"),
        ],
    )
    insert_rows(
        store,
        "order_events",
        [
            order("order_paid", "ann", 20, 10_000),
            order("order_paid", "bob", 90, 3_000),
            order("order_refunded", "ann", 10, 2_500),
        ],
    )
    spent = {"event_name": "ad_spend", "campaign_id": desk.campaign, "channel": "app", "utm_source": "feed"}
    insert_rows(
        store,
        "spend_events",
        [
            spent | {"event_time": at(100), "cost": money(3_000), "impressions": 100, "clicks": 10},
            spent | {"event_time": at(30), "cost": money(1_000), "impressions": 50, "clicks": 5},
        ],
    )
    insert_rows(
        store,
        "coupon_events",
        [
            {
                "event_name": "coupon_redeemed",
                "event_time": at(19),
                "campaign_id": desk.campaign,
                "channel": "app",
                "face_value": money(500),
            }
        ],
    )
    await desk.client.put(
        desk.path,
        json={
            "name": "Double 11",
            "start": "2026-11-10T18:00:00Z",
            "end": "2026-11-12T00:00:00Z",
            "gross_margin": 0.5,
            "budgets": {"app": "100.00", "tv": "5.00"},
        },
    )

    async def asked(**parameters: str) -> list[dict[str, Any]]:
        answer = await desk.client.get(f"{desk.path}/attribution", params=parameters)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    app, nobody = await asked(model="last_touch", by="channel")
    assert app == {
        "channel": "app",
        "orders_paid": 1,
        "paid_gmv": "100.00",
        "refund_amount": "25.00",
        "net_sales": "75.00",
        "buyers": 1,
        "new_buyers": 1,
        "ad_cost": "40.00",
        "coupon_cost": "5.00",
        "cost": "45.00",
        "impressions": 150,
        "clicks": 15,
        "roas": 2.5,
        "roi": pytest.approx((75 * 0.5 - 45) / 45),
        "cac": 45.0,
        "cpa": 40.0,
        "cpc": pytest.approx(40 / 15),
        "ctr": 0.1,
        "budget": "100.00",
        "budget_used": 0.4,
        "burn_rate_per_hour": "10.00",
        "budget_exhausted_at": "2026-11-11T14:00:00+08:00",
        "marginal_roas": 10.0,
    }
    assert (nobody["channel"], nobody["paid_gmv"], nobody["ad_cost"], nobody["roas"]) == (
        UNATTRIBUTED,
        "30.00",
        "0.00",
        None,
    )
    by_campaign = {row["utm_campaign"]: row for row in await asked(model="last_touch", by="utm_campaign")}
    assert by_campaign["warmup"]["paid_gmv"] == "100.00"
    assert {
        by_campaign["warmup"][name] for name in ("ad_cost", "coupon_cost", "cost", "roas", "roi", "cac", "cpc")
    } == {None}
    by_source = {row["utm_source"]: row for row in await asked(model="first_touch", by="utm_source")}
    assert (by_source["feed"]["roas"], by_source["feed"]["coupon_cost"], by_source["feed"]["cac"]) == (2.5, None, None)
    assert [row["paid_gmv"] for row in await asked(model="order", by="channel")] == ["130.00", "0.00"]
    assert {row["channel"] for row in await asked(model="last_touch", lookback="1h")} == {"app", UNATTRIBUTED}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("model=linear", "model"),
        ("by=region", "by"),
        ("model=order&by=utm_medium", "by"),
        ("model=order&by=utm_campaign", "by"),
        ("lookback=0d", "lookback"),
        ("lookback=91d", "lookback"),
        ("lookback=7", "lookback"),
        ("channel=app", "channel"),
        ("phase=burst", "phase"),
        ("from=2026-11-11T00:00:00Z&to=2026-11-10T00:00:00Z", "to"),
    ],
)
async def test_what_is_asked_wrongly_is_answered_with_the_field(desk: Desk, query: str, field: str) -> None:
    answer = await desk.client.get(f"{desk.path}/attribution?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_budget_was_used_up_by_the_spend_that_reached_it(store: Store) -> None:
    campaign = fresh_campaign("budgets")
    rng = random.Random(7)
    events = spend(rng, campaign, 60)
    scatter(rng, store, "spend_events", events)
    question = Question(campaign, START_MS, START_MS + SPAN_MS)
    wanted = {}
    budgets = {"app": Decimal("150.005"), "web": Decimal("400"), "unknown": Decimal("10000"), "tv": Decimal(0)}
    for channel, budget in budgets.items():
        mine = [event for event in events if event["channel"] == channel]
        for moment in sorted({event["event_time"] for event in mine}):
            if sum(event["cost"] for event in mine if event["event_time"] <= moment) >= budget:
                wanted[channel] = to_ms(moment)
                break
    pool = StorePool(store, threads=1, name="test")
    try:
        assert await used_up(pool, question, budgets) == wanted
    finally:
        await pool.close()
    assert wanted.keys() == {"app", "web"}


def test_a_budget_is_used_up_at_the_rate_of_the_last_hour() -> None:
    at = 10 * 3_600_000
    assert Burn(Decimal(100), Decimal(40), Decimal(10)).exhausted_ms(at, None) == at + 6 * 3_600_000
    assert Burn(Decimal(100), Decimal(40), Decimal(10)).exhausted_ms(at, at + 6 * 3_600_000) is None
    assert Burn(Decimal(100), Decimal(120), Decimal(10), at - 7).exhausted_ms(at, None) == at - 7
    assert Burn(Decimal(100), Decimal(99), Decimal(0)).exhausted_ms(at, None) is None
    assert Burn(None, Decimal(99), Decimal(1)).exhausted_ms(at, None) is None
    assert Burn(Decimal(0), Decimal(0), Decimal(0)).used() is None
