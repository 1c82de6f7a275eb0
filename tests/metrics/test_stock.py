"""Stock that runs out: an item at risk that nobody is warned of, or money split so that it does not add up."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import to_datetime
from services.common.query.stock_spend import shares
from services.common.statistics import poisson_interval
from services.common.store import Store
from tests.metrics.conftest import NOW_MS, Desk
from tests.support.rows import insert_rows, money

NOW = to_datetime(NOW_MS)
VIEWS = st.lists(
    st.tuples(st.sampled_from(["app", "web", "tv"]), st.sampled_from(["shoe", "hat", "bag"]), st.integers(1, 1_000)),
    unique_by=lambda view: view[:2],
)


@given(costs=st.dictionaries(st.sampled_from(["app", "web", "live"]), st.integers(0, 10**8).map(money)), views=VIEWS)
def test_what_is_spent_on_items_adds_up_to_what_was_spent_on_their_channels(
    costs: dict[str, Decimal], views: list[tuple[str, str, int]]
) -> None:
    parts = shares(costs, views)
    seen = {channel for channel, _, _ in views}
    spent = sum((cost for channel, cost in costs.items() if channel in seen), Decimal(0))
    assert abs(sum(parts.values(), Decimal(0)) - spent) < Decimal("0.001")
    assert parts == shares(costs, views[::-1])
    by_item: dict[str, int] = defaultdict(int)
    for channel, item, number in views:
        by_item[item] += number if channel in costs else 0
    assert all(parts[item] == 0 or by_item[item] for item in parts)


async def test_an_item_that_runs_out_is_told_with_a_range_and_its_spend(store: Store, desk: Desk) -> None:
    def at(minutes_ago: float) -> dict[str, Any]:
        return {"event_time": NOW - timedelta(minutes=minutes_ago), "campaign_id": desk.campaign}

    insert_rows(
        store,
        "stock_events",
        [
            at(100) | {"event_name": "stock_level", "item_id": item, "available": left, "safety_stock": -1}
            for item, left in (("shoe", 40), ("hat", 1_000), ("bag", 0), ("sock", 5))
        ],
    )
    insert_rows(
        store,
        "order_events",
        [
            at(5)
            | {
                "event_id": item,
                "event_name": "order_paid",
                "user_id": item,
                "value": money(100),
                "line_item_id": [item],
                "line_item_category": ["x"],
                "line_quantity": [pieces],
                "line_amount": [money(100)],
            }
            for item, pieces in (("shoe", 15), ("hat", 15))
        ],
    )
    view = {"event_name": "view_item", "user_id": "u"}
    insert_rows(
        store,
        "traffic_events",
        [
            at(minutes) | view | {"channel": channel, "item_id": item}
            for minutes, channel, item in (
                (30, "app", "shoe"),
                (30, "app", "hat"),
                (20, "app", "shoe"),
                (20, "app", "unknown"),
                (20, "web", "hat"),
                (70, "app", "hat"),
            )
        ],
    )
    insert_rows(
        store,
        "spend_events",
        [
            at(minutes) | {"event_name": "ad_spend", "channel": channel, "cost": money(cents)}
            for minutes, channel, cents in ((30, "app", 10_000), (10, "web", 300), (10, "tv", 999), (90, "app", 50_000))
        ],
    )
    answer = await desk.client.get(f"{desk.path}/inventory")
    rows = {row["item_id"]: row for row in answer.json()["rows"]}
    # The rate is that of the last 15 minutes, from the start of a minute: 15.5 of them.
    shoe, minutes = rows["shoe"], 15.5
    rate = poisson_interval(15)
    assert (shoe["sell_rate_low"], shoe["sell_rate_high"]) == (
        pytest.approx(rate.low / minutes),
        pytest.approx(rate.high / minutes),
    )
    assert shoe["stockout_earliest"] < shoe["stockout_eta"] < shoe["stockout_latest"]
    assert {item: row["at_risk"] for item, row in rows.items()} == {
        "shoe": True,
        "hat": False,
        "bag": True,
        "sock": False,
    }
    assert (rows["sock"]["sell_rate_low"], rows["sock"]["stockout_latest"]) == (0, None)
    assert rows["sock"]["stockout_earliest"] is not None
    assert {item: row["ad_cost_last_hour"] for item, row in rows.items()} == {
        "shoe": "50.00",
        "hat": "28.00",
        "bag": "0.00",
        "sock": "0.00",
    }
    narrowed = (await desk.client.get(f"{desk.path}/inventory", params={"channel": "web", "item_id": "hat"})).json()
    assert [row["ad_cost_last_hour"] for row in narrowed["rows"]] == ["3.00"]
    undefined = (await desk.client.get(f"{desk.path}/inventory", params={"customer_type": "new"})).json()
    assert {row["ad_cost_last_hour"] for row in undefined["rows"]} == {None}
