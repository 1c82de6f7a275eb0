"""Rollups against the events behind them: two ways to the same number must not disagree."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.metrics import DIMENSIONS, MEASURES, Kind
from services.common.clock import MINUTE_MS, to_ms
from services.common.query import sql
from services.common.query.engine import QueryEngine
from services.common.query.question import PhaseSpan, Question
from services.common.store import Store, StorePool
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

START = datetime(2026, 11, 11, tzinfo=UTC)
MINUTES = 30
VALUES = {
    "channel": ["app", "web", "unknown"],
    "region": ["CN-31", "CN-44"],
    "item_category": ["shoes", "hats", "unknown"],
    "item_id": ["a", "b", "unknown"],
    "utm_source": ["feed", "unknown"],
    "device_category": ["mobile", "desktop"],
    "customer_type": ["new", "returning", "unknown"],
    "phase": ["first", "second", "unknown"],
}
PHASES = (
    PhaseSpan("first", to_ms(START), to_ms(START) + 10 * MINUTE_MS),
    PhaseSpan("second", to_ms(START) + 10 * MINUTE_MS, to_ms(START) + 20 * MINUTE_MS),
)


def _traffic(rng: random.Random, campaign: str) -> dict[str, Any]:
    return {
        "event_id": str(rng.random()),
        "event_name": rng.choice(["page_view", "view_item", "add_to_cart", "begin_checkout", "swipe"]),
        "event_time": START + timedelta(seconds=rng.randrange(MINUTES * 60)),
        "campaign_id": campaign,
        "user_id": f"u{rng.randrange(40)}",
        "session_id": rng.choice(["", f"s{rng.randrange(60)}"]),
        **{
            name: rng.choice(VALUES[name])
            for name, carriers in DIMENSIONS.items()
            if Kind.TRAFFIC in carriers and name != "phase"
        },
    }


def _order(rng: random.Random, campaign: str) -> dict[str, Any]:
    lines = [
        (
            rng.choice(VALUES["item_id"]),
            rng.choice(VALUES["item_category"]),
            rng.randrange(1, 4),
            money(rng.randrange(9999)),
        )
        for _ in range(rng.choice([0, 1, 1, 2, 3]))
    ]
    return {
        "event_id": str(rng.random()),
        "event_name": rng.choice(
            ["order_created", "order_created", "order_paid", "payment_failed", "order_cancelled", "order_refunded"]
        ),
        "event_time": START + timedelta(seconds=rng.randrange(MINUTES * 60)),
        "campaign_id": campaign,
        "user_id": f"u{rng.randrange(40)}",
        "channel": rng.choice(VALUES["channel"]),
        "region": rng.choice(VALUES["region"]),
        "utm_source": rng.choice(VALUES["utm_source"]),
        "customer_type": rng.choice(VALUES["customer_type"]),
        "value": money(rng.randrange(99999)),
        "line_item_id": [line[0] for line in lines],
        "line_item_category": [line[1] for line in lines],
        "line_quantity": [line[2] for line in lines],
        "line_amount": [line[3] for line in lines],
    }


def _coupon(rng: random.Random, campaign: str) -> dict[str, Any]:
    return {
        "event_id": str(rng.random()),
        "event_name": rng.choice(["coupon_issued", "coupon_claimed", "coupon_redeemed", "coupon_expired"]),
        "event_time": START + timedelta(seconds=rng.randrange(MINUTES * 60)),
        "campaign_id": campaign,
        "channel": rng.choice(VALUES["channel"]),
        "region": rng.choice(VALUES["region"]),
        "face_value": money(rng.randrange(999)),
    }


def _spend(rng: random.Random, campaign: str) -> dict[str, Any]:
    return {
        "event_id": str(rng.random()),
        "event_name": "ad_spend",
        "event_time": START + timedelta(seconds=rng.randrange(MINUTES * 60)),
        "campaign_id": campaign,
        "channel": rng.choice(VALUES["channel"]),
        "region": rng.choice(VALUES["region"]),
        "utm_source": rng.choice(VALUES["utm_source"]),
        "cost": money(rng.randrange(9999)),
        "impressions": rng.randrange(1000),
        "clicks": rng.randrange(100),
    }


@pytest.fixture(scope="module")
def campaign(store: Store) -> str:
    name = fresh_campaign("rollups")
    rng = random.Random(11)
    for batch in range(3):
        for table, make in (
            ("traffic_events", _traffic),
            ("order_events", _order),
            ("coupon_events", _coupon),
            ("spend_events", _spend),
        ):
            insert_rows(store, table, [make(rng, name) for _ in range(300)], token=f"{name}-{table}-{batch}")
    return name


filters = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 3), max_size=2).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            name: st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True).map(tuple)
            for name in chosen
        }
    )
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=filters,
    group_by=st.none() | st.sampled_from(sorted(VALUES)),
    first=st.integers(0, MINUTES - 1),
    length=st.integers(1, MINUTES),
    step=st.sampled_from([0, 1, 7]),
)
async def test_rollups_and_events_give_the_same_answers(
    store: Store,
    campaign: str,
    chosen: dict[str, tuple[str, ...]],
    group_by: str | None,
    first: int,
    length: int,
    step: int,
) -> None:
    start = to_ms(START) + first * MINUTE_MS
    end = start + length * MINUTE_MS
    question = Question(
        campaign,
        start,
        end,
        filters=chosen,
        group_by=group_by,
        buckets=tuple(range(start, end, step * MINUTE_MS)) if step else (),
        phases=PHASES,
    )
    pool = StorePool(store, threads=2, name="test")
    try:
        answered = await QueryEngine(pool).measures(question, MEASURES)
    finally:
        await pool.close()
    from_events: dict[tuple[int, str], dict[str, Any]] = {}
    for kind in Kind:
        if all(kind in DIMENSIONS[name] for name in question.dimensions):
            statement = sql.from_events(question, kind, [m for m in MEASURES.values() if m.kind is kind])
            for row in store.query(statement.sql, statement.parameters):
                cell = from_events.setdefault((row["bucket"] * 1000, row["slice"]), {})
                cell.update({name: row[name] for name in statement.measures})
    # A key without events of some kind holds zeros there, and nulls where that kind has no such dimension.
    for key, values in answered.items():
        for name, value in values.items():
            if value is None:
                assert any(MEASURES[name].kind not in DIMENSIONS[d] for d in question.dimensions)
            else:
                assert value == from_events.get(key, {}).get(name, 0), (key, name)
    assert from_events.keys() == answered.keys()
    assert all(isinstance(v["gmv"], Decimal) for v in answered.values() if v["gmv"] is not None)
