"""Experiments: a user in two variants counted twice, a payment before the exposure taken for its effect."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.query.experiments import MOST_EXPERIMENTS, Experiments, Variant, experiments
from services.common.query.question import Question
from services.common.store import Store, StorePool
from services.metrics.experiments import experiment_rows
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.shop import SPAN_MS, START_MS, Event, orders, scatter, visits
from tests.support.rows import insert_rows
from tests.support.store import fresh_campaign

NOW = to_datetime(NOW_MS)


def expected(events: list[Event], traffic: list[Event], start: int, end: int, filters: dict[str, str]) -> Experiments:
    def taken(event: Event) -> bool:
        return start <= to_ms(event["event_time"]) < end and all(
            value
            in (event["line_item_id"] or ["unknown"] if name == "item_id" and "order_id" in event else [event[name]])
            for name, value in filters.items()
        )

    seen: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for touch in filter(taken, traffic):
        if touch["experiment"] and touch["variant"]:
            variants = seen[touch["experiment"], touch["user_id"]]
            at = to_ms(touch["event_time"])
            variants[touch["variant"]] = min(at, variants.get(touch["variant"], at))
    users: Counter[tuple[str, str]] = Counter()
    converted: Counter[tuple[str, str]] = Counter()
    crossed: dict[str, int] = {}
    for (experiment, user), variants in seen.items():
        crossed.setdefault(experiment, 0)
        for variant in variants:
            users[experiment, variant] += 0
        if len(variants) > 1:
            crossed[experiment] += 1
            continue
        ((variant, exposed),) = variants.items()
        users[experiment, variant] += 1
        converted[experiment, variant] += any(
            event["event_name"] == "order_paid" and event["user_id"] == user and to_ms(event["event_time"]) >= exposed
            for event in filter(taken, events)
        )
    return Experiments(
        [Variant(*key, number, converted[key]) for key, number in sorted(users.items())],
        crossed,
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(0, SPAN_MS // MINUTE_MS),
    length=st.integers(1, SPAN_MS // MINUTE_MS),
    filters=st.sampled_from([{}, {"channel": "app"}, {"item_id": "shoe"}, {"utm_source": "feed"}]),
)
async def test_variants_are_counted_as_in_plain_python(
    store: Store, seed: int, first: int, length: int, filters: dict[str, str]
) -> None:
    rng, campaign = random.Random(seed), fresh_campaign("experiments")
    events, traffic = orders(rng, campaign, 40, buyers=30), visits(rng, campaign, 80, visitors=40)
    scatter(rng, store, "order_events", events)
    scatter(rng, store, "traffic_events", traffic)
    start = START_MS + first * MINUTE_MS
    end = start + length * MINUTE_MS
    question = Question(campaign, start, end, filters={name: (value,) for name, value in filters.items()})
    wanted = expected(events, traffic, start, end, filters)
    pool = StorePool(store, threads=1, name="test")
    try:
        for at_once in (1_000, 7):
            assert await experiments(pool, question, users_at_once=at_once) == wanted
        alone = await experiments(pool, question, "price")
        assert alone.variants == [variant for variant in wanted.variants if variant.experiment == "price"]
    finally:
        await pool.close()


def test_a_difference_is_told_with_its_interval_and_its_probability() -> None:
    """The counts of Newcombe's example (a), with a variant that nobody saw alone."""
    found = Experiments(
        [Variant("button", "A", 80, 48), Variant("button", "B", 70, 56), Variant("button", "C", 0, 0)], {"button": 2}
    )
    control, other, empty = experiment_rows(found, None)
    assert (control["is_control"], other["is_control"]) == (True, False)
    assert "difference" not in control
    assert (other["difference"], other["difference_low"], other["difference_high"]) == pytest.approx(
        (0.2, 0.0524, 0.3339), abs=5e-5
    )
    assert other["lift"] == pytest.approx(1 / 3)
    assert other["p_value"] == pytest.approx(0.008, abs=5e-4)
    assert (control["low"], control["high"]) == pytest.approx((0.4904, 0.7004), abs=5e-4)
    assert (empty["conversion"], empty["difference"], empty["p_value"], empty["crossed"]) == (None, None, None, 2)
    assert any("too small" in warning for warning in other["warnings"])


@pytest.mark.parametrize(
    ("names", "asked", "control"),
    [
        (["a", "control"], None, "control"),
        (["B", "A"], None, "A"),
        (["b", "a"], None, "a"),
        (["red", "blue"], None, "blue"),
        (["A", "B"], "B", "B"),
        (["A", "B"], "Z", None),
    ],
)
def test_the_control_is_the_one_asked_for_or_the_one_named_so(
    names: list[str], asked: str | None, control: str | None
) -> None:
    rows = experiment_rows(Experiments([Variant("x", name, 1_000, 100) for name in sorted(names)], {"x": 0}), asked)
    assert [row["variant"] for row in rows if row["is_control"]] == ([control] if control else [])
    assert all(bool(row["warnings"]) == (control is None) for row in rows)


def test_what_cannot_be_trusted_carries_a_warning() -> None:
    def warned(*counts: tuple[int, int]) -> list[list[str]]:
        variants = [Variant("x", name, *count) for name, count in zip("ABC", counts, strict=False)]
        return [row["warnings"] for row in experiment_rows(Experiments(variants, {"x": 0}), None)]

    assert warned((5_000, 500), (5_010, 480)) == [[], []]
    assert all("skewed" in warnings[0] for warnings in warned((5_000, 500), (5_500, 480)))
    small = warned((5_000, 500), (4_990, 9))
    assert (small[0], len(small[1])) == ([], 1)
    assert [len(warnings) for warnings in warned((99, 50), (99, 50), (99, 50))] == [1, 2, 2]


async def test_experiments_over_http(store: Store, desk: Desk) -> None:
    def touch(user: str, variant: str, minutes_ago: float) -> dict[str, Any]:
        return {
            "event_name": "page_view",
            "event_time": NOW - timedelta(minutes=minutes_ago),
            "campaign_id": desk.campaign,
            "user_id": user,
            "device_category": "mobile",
            "experiment": "button",
            "variant": variant,
        }

    insert_rows(
        store,
        "traffic_events",
        [touch("ann", "A", 9), touch("bob", "B", 9), touch("cid", "A", 9), touch("cid", "B", 8), touch("eve", "B", 3)],
    )
    paid = {"event_name": "order_paid", "campaign_id": desk.campaign}
    insert_rows(
        store,
        "order_events",
        [
            paid | {"event_time": NOW - timedelta(minutes=minutes), "user_id": user}
            for user, minutes in (("bob", 9), ("cid", 2), ("eve", 4))
        ],
    )
    answer = (await desk.client.get(f"{desk.path}/experiments")).json()
    assert [
        (row["variant"], row["is_control"], row["users"], row["converted"], row["conversion"], row["crossed"])
        for row in answer["rows"]
    ] == [("A", True, 1, 0, 0.0, 1), ("B", False, 2, 1, 0.5, 1)]
    assert (answer["rows"][0]["difference"], answer["rows"][1]["difference"], answer["rows"][1]["lift"]) == (
        None,
        0.5,
        None,
    )
    mobile = (await desk.client.get(f"{desk.path}/experiments", params={"device_category": "mobile"})).json()["rows"]
    assert [(row["users"], row["converted"], row["p_value"]) for row in mobile] == [(1, None, None), (2, None, None)]
    for nothing in ({"experiment": "price"}, {"customer_type": "new"}):
        assert (await desk.client.get(f"{desk.path}/experiments", params=nothing)).json()["rows"] == []
    refused = await desk.client.get(f"{desk.path}/experiments", params={"contol": "A"})
    assert (refused.status_code, refused.json()["field"]) == (422, "contol")


async def test_too_many_experiments_at_once_are_refused_and_one_of_them_is_not(store: Store, desk: Desk) -> None:
    """Each costs a statement: an id written into the field by mistake must not keep the store busy."""
    insert_rows(
        store,
        "traffic_events",
        [
            {
                "event_name": "page_view",
                "event_time": NOW - timedelta(minutes=5),
                "campaign_id": desk.campaign,
                "user_id": "ann",
                "experiment": f"session-{number}",
                "variant": "A",
            }
            for number in range(MOST_EXPERIMENTS + 1)
        ],
    )
    refused = await desk.client.get(f"{desk.path}/experiments")
    assert (refused.status_code, refused.json()["field"]) == (422, "experiment")
    one = await desk.client.get(f"{desk.path}/experiments", params={"experiment": "session-7"})
    assert [row["users"] for row in one.json()["rows"]] == [1]
