"""Cohorts against plain Python: a buyer in two cohorts, a day cut at UTC's midnight, an age off by one step."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.query.cohorts import BY, Age, Cohort, ages, cohorts
from services.common.query.question import Question
from services.common.store import Store, StorePool
from services.metrics.cohorts import age_rows, cohort_row
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.shop import SPAN_MS, START_MS, Event, orders, scatter
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

NOW = to_datetime(NOW_MS)
ZONE = ZoneInfo("Asia/Tokyo")
STEP_MS = 30 * MINUTE_MS


def expected(events: list[Event], start: int, end: int, by: str, channel: str | None) -> tuple[list[Cohort], list[Age]]:
    firsts: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: (event["event_time"], event["event_id"])):
        if event["event_name"] == "order_paid":
            firsts.setdefault(event["user_id"], event)
    inside = [
        event for event in events if start <= to_ms(event["event_time"]) < end and channel in (None, event["channel"])
    ]
    paid: dict[str, list[Event]] = defaultdict(list)
    for event in inside:
        if event["event_name"] == "order_paid":
            paid[event["user_id"]].append(event)
    groups: dict[str, list[str]] = defaultdict(list)
    for user in paid:
        first = firsts[user]
        day = first["event_time"].astimezone(ZONE).date().isoformat()
        groups[first["channel"] if by == "first_channel" else day].append(user)
    whole, parts = [], []
    for name, users in sorted(groups.items()):
        mine = [event for user in users for event in paid[user]]
        refunds = [e for e in inside if e["event_name"] == "order_refunded" and e["user_id"] in users]
        whole.append(
            Cohort(
                name,
                len(users),
                sum(firsts[user]["customer_type"] == "new" for user in users),
                sum(len(paid[user]) >= 2 for user in users),
                len(mine),
                sum((event["value"] for event in mine), Decimal(0)),
                sum((event["value"] for event in refunds), Decimal(0)),
            )
        )
        by_age: dict[int, list[Event]] = defaultdict(list)
        for event in mine:
            since = to_ms(event["event_time"]) - to_ms(firsts[event["user_id"]]["event_time"])
            by_age[since // STEP_MS].append(event)
        parts += [
            Age(
                name,
                age,
                len({event["user_id"] for event in found}),
                len(found),
                sum((event["value"] for event in found), Decimal(0)),
            )
            for age, found in sorted(by_age.items())
        ]
    return whole, parts


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(0, SPAN_MS // MINUTE_MS),
    length=st.integers(1, SPAN_MS // MINUTE_MS),
    channel=st.none() | st.sampled_from(["app", "web"]),
)
async def test_cohorts_are_those_of_plain_python(
    store: Store, seed: int, first: int, length: int, channel: str | None
) -> None:
    rng, campaign = random.Random(seed), fresh_campaign("cohorts")
    events = orders(rng, campaign, 40, buyers=8)
    # Half of the buyers come around midnight in Tokyo.
    for event in events:
        if event["user_id"] > "u3":
            event["event_time"] += timedelta(hours=14)
    scatter(rng, store, "order_events", events)
    start = START_MS + first * MINUTE_MS
    end = start + length * MINUTE_MS * 5
    question = Question(campaign, start, end, filters={"channel": (channel,)} if channel else {})
    pool = StorePool(store, threads=1, name="test")
    try:
        for by in BY:
            found = (
                await cohorts(pool, question, by, ZONE),
                await ages(pool, question, by, ZONE, STEP_MS),
            )
            assert found == expected(events, start, end, by, channel)
    finally:
        await pool.close()


@given(
    parts=st.dictionaries(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9)),
        st.tuples(st.integers(1, 9), st.integers(1, 10**6).map(money)),
    )
)
def test_ages_have_no_holes_and_add_up(parts: dict[tuple[str, int], tuple[int, Decimal]]) -> None:
    found = [Age(name, age, 1, number, gmv) for (name, age), (number, gmv) in sorted(parts.items())]
    rows = age_rows({"a": 3, "b": 4}, found)
    for name, buyers in (("a", 3), ("b", 4)):
        mine = [row for row in rows if row["cohort"] == name]
        assert [row["age"] for row in mine] == list(range(len(mine)))
        assert sum(row["orders_paid"] for row in mine) == sum(n for (c, _), (n, _) in parts.items() if c == name)
        if mine:
            gmv = sum((gmv for (c, _), (_, gmv) in parts.items() if c == name), Decimal(0))
            assert mine[-1]["paid_gmv_cumulated_per_buyer"] == pytest.approx(float(gmv / buyers))
            assert mine[-1]["orders_paid"] > 0


def test_a_cohort_without_cost_or_new_buyers_has_no_ratio_to_them() -> None:
    cohort = Cohort("app", 4, 0, 1, 5, Decimal(100), Decimal(20))
    row = cohort_row(cohort, Decimal(0), Decimal("0.5"))
    assert (row["value_per_buyer"], row["cac"], row["value_to_cost"]) == (20.0, None, None)
    assert cohort_row(cohort, None, Decimal(1))["acquisition_cost"] is None
    assert cohort_row(cohort, Decimal(16), Decimal("0.5"))["value_to_cost"] == 2.5


async def test_cohorts_are_told_with_what_they_cost(store: Store, desk: Desk) -> None:
    def order(name: str, user: str, hours_ago: float, cents: int, **fields: Any) -> Event:
        return {
            "event_id": f"{name}-{user}-{hours_ago}",
            "event_name": name,
            "event_time": NOW - timedelta(hours=hours_ago),
            "campaign_id": desk.campaign,
            "user_id": user,
            "channel": "app",
            "customer_type": "new",
            "value": money(cents),
            **fields,
        }

    insert_rows(
        store,
        "order_events",
        [
            order("order_paid", "ann", 26, 1_000),
            order("order_paid", "ann", 2, 500),
            order("order_paid", "ann", 1, 500, channel="web"),
            order("order_refunded", "ann", 1, 300),
            order("order_paid", "bob", 3, 4_000, customer_type="returning"),
            order("order_refunded", "cid", 1, 300),
        ],
    )
    spend = {"event_name": "ad_spend", "campaign_id": desk.campaign, "channel": "app"}
    insert_rows(
        store,
        "spend_events",
        [
            # 22:00 of the 9th in UTC is the 10th in Shanghai already.
            spend | {"event_time": NOW - timedelta(hours=26), "cost": money(200)},
            spend | {"event_time": NOW - timedelta(hours=4), "cost": money(800)},
        ],
    )
    body = {"name": "x", "start": "2026-11-09T16:00:00Z", "end": "2026-11-12T00:00:00Z", "gross_margin": 0.5}
    await desk.client.put(desk.path, json=body)

    async def asked(**parameters: str) -> list[dict[str, Any]]:
        answer = await desk.client.get(f"{desk.path}/cohorts", params=parameters)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    first, second = await asked()
    assert first == {
        "cohort": "2026-11-10",
        "buyers": 1,
        "new_buyers": 1,
        "returning_buyers": 0,
        "repurchasers": 1,
        "repurchase_rate": 1.0,
        "orders_paid": 3,
        "paid_gmv": "20.00",
        "refund_amount": "3.00",
        "net_sales": "17.00",
        "value_per_buyer": 17.0,
        "acquisition_cost": "2.00",
        "cac": 2.0,
        "value_to_cost": 4.25,
    }
    assert (second["cohort"], second["returning_buyers"], second["acquisition_cost"]) == ("2026-11-11", 1, "8.00")
    (channel,) = await asked(by="first_channel")
    assert (channel["cohort"], channel["buyers"], channel["acquisition_cost"], channel["cac"]) == (
        "app",
        2,
        "10.00",
        10.0,
    )
    late = await asked(**{"from": "2026-11-10T20:00:00Z"})
    assert [(row["cohort"], row["orders_paid"], row["acquisition_cost"]) for row in late] == [
        ("2026-11-10", 2, "2.00"),
        ("2026-11-11", 1, "8.00"),
    ]
    aged = [row for row in await asked(age="1d") if row["cohort"] == "2026-11-10"]
    assert [(row["age"], row["orders_paid"], row["paid_gmv_cumulated_per_buyer"]) for row in aged] == [
        (0, 1, 10.0),
        (1, 2, 20.0),
    ]
    assert [row["acquisition_cost"] for row in await asked(customer_type="new")] == [None]
    assert await asked(device_category="mobile") == []


@pytest.mark.parametrize(("query", "field"), [("by=region", "by"), ("age=2d", "age"), ("color=red", "color")])
async def test_what_is_asked_wrongly_is_answered_with_the_field(desk: Desk, query: str, field: str) -> None:
    answer = await desk.client.get(f"{desk.path}/cohorts?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
