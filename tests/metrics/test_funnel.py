"""The funnel against a greedy walk in plain Python."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_ms
from services.common.query.folds import FoldCuts
from services.common.query.funnel import STEPS, funnel
from services.common.query.question import Question
from services.common.store import Store, StorePool
from tests.support.rows import insert_rows
from tests.support.store import fresh_campaign

START = datetime(2026, 11, 11, tzinfo=UTC)
NAMES = ["page_view", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid", "order_refunded"]

# Few users, few channels and few distinct moments: equal times and missing steps are the rule.
events = st.lists(
    st.tuples(
        st.sampled_from(["u1", "u2", "u3"]),
        st.sampled_from(NAMES),
        st.integers(0, 6),
        st.sampled_from(["app", "web"]),
    ),
    min_size=1,
    max_size=60,
)


def greedy(sequence: list[tuple[int, str, bool]]) -> int:
    """How many steps are reached: each step takes the earliest event at or after the one before it."""
    moment = -1
    for number, (step, _) in enumerate(STEPS):
        matching = [
            at for at, name, traffic in sequence if at >= moment and (traffic if step == "visit" else name == step)
        ]
        if not matching:
            return number
        moment = min(matching)
    return len(STEPS)


def expected(sent: list[tuple[str, str, int, str]], grouped: bool) -> dict[str, list[int]]:
    users: dict[tuple[str, str], list[tuple[int, str, bool]]] = defaultdict(list)
    for user, name, at, channel in sent:
        users[(channel if grouped else "", user)].append((at, name, not name.startswith("order_")))
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(STEPS))
    for (group, _), sequence in users.items():
        for step in range(greedy(sequence)):
            counts[group][step] += 1
    return {group: steps for group, steps in counts.items() if steps[0]}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=events)
async def test_the_funnel_is_a_greedy_walk(store: Store, sent: list[tuple[str, str, int, str]]) -> None:
    campaign = fresh_campaign("funnel")
    rows: dict[str, list[dict[str, Any]]] = {"traffic_events": [], "order_events": []}
    for user, name, at, channel in sent:
        rows["order_events" if name.startswith("order_") else "traffic_events"].append(
            {
                "event_name": name,
                "event_time": START + timedelta(milliseconds=at),
                "campaign_id": campaign,
                "user_id": user,
                "channel": channel,
            }
        )
    for table, content in rows.items():
        insert_rows(store, table, content)
    pool = StorePool(store, threads=1, name="test")
    try:
        for group_by in (None, "channel"):
            question = Question(campaign, to_ms(START), to_ms(START) + MINUTE_MS, group_by=group_by)
            found = {
                value: [step.users for step in steps]
                for value, steps in (await funnel(pool, question, FoldCuts(pool))).items()
            }
            wanted = expected(sent, group_by is not None)
            assert found == (wanted or ({} if group_by else {"": [0] * len(STEPS)}))
    finally:
        await pool.close()


async def test_a_step_that_cannot_carry_the_dimension_is_null(store: Store) -> None:
    pool = StorePool(store, threads=1, name="test")
    try:
        question = Question(fresh_campaign(), 0, MINUTE_MS, filters={"device_category": ("mobile",)})
        steps = (await funnel(pool, question, FoldCuts(pool)))[""]
        assert [step.users for step in steps] == [0, 0, 0, 0, None, None]
        question = Question(fresh_campaign(), 0, MINUTE_MS, filters={"customer_type": ("new",)})
        steps = (await funnel(pool, question, FoldCuts(pool)))[""]
        assert [step.users for step in steps] == [None] * 6
    finally:
        await pool.close()
