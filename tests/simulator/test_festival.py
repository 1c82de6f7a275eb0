"""The synthetic festival: the same every time, valid in every event, and calm without an incident."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import islice, pairwise, takewhile

import pytest

from schemas.campaigns import Campaign
from schemas.events.judge import judge
from services.simulator.festival import festival_plan
from services.simulator.source import backlog
from tests.simulator.stories import START_MS, Told, a_festival, tell

SECONDS = 1500
STEPS = ("page_view", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid")


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """Twenty-five minutes of a festival without an incident."""
    return tell(a_festival(), SECONDS)


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    first, second = (list(backlog(3, 20_000, "x", START_MS)) for _ in range(2))
    assert first == second


def test_ids_of_runs_with_another_seed_start_or_campaign_never_meet() -> None:
    runs = [
        {value.split(b'"event_id":"')[1].split(b'"')[0] for _, _, value in backlog(seed, 2_000, name, start)}
        for seed, name, start in [(1, "x", START_MS), (2, "x", START_MS), (1, "x", START_MS + 1000), (1, "y", START_MS)]
    ]
    assert len(set().union(*runs)) == sum(map(len, runs)) == 8_000


def test_the_reference_accepts_every_event() -> None:
    # Refunds come from the third minute on.
    records = islice(a_festival().records(), 30_000)
    for record in records:
        judge(record.kind, record.value, now_ms=record.time_ms, currencies={"CNY": Decimal(1)})


def test_records_come_in_order_under_the_key_of_their_kind(told: list[Told]) -> None:
    keys = {
        "traffic": "user_id",
        "orders": "order_id",
        "coupons": "coupon_id",
        "inventory": "item_id",
        "spend": "channel",
    }
    assert all(one.body[keys[one.kind]] == one.key for one in told)
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(told))
    assert {one.kind for one in told} == set(keys)
    assert len({one.body["event_id"] for one in told}) == len(told)


def test_every_order_comes_after_each_step_of_its_visit(told: list[Told]) -> None:
    reached: defaultdict[str, int] = defaultdict(int)
    paid = 0
    for one in told:
        name = one.body["event_name"]
        if name not in STEPS:
            continue
        user, step = one.body["user_id"], STEPS.index(name)
        if reached[user] >= step:
            reached[user] = max(reached[user], step + 1)
        elif step >= 4:
            pytest.fail(f"{name} of a user who had only reached {STEPS[: reached[user]]}")
        paid += name == "order_paid"
    assert paid > 100


def test_amounts_of_an_order_add_up_and_never_change(told: list[Told]) -> None:
    values: dict[str, str] = {}
    for one in told:
        body = one.body
        if one.kind != "orders" or body["event_name"] == "order_refunded":
            continue
        goods = sum(item["quantity"] * Decimal(item["price"]) for item in body["items"])
        rest = Decimal(body["value"]) - goods + Decimal(body.get("discount", "0"))
        assert rest in (0, 8), "what is not goods is shipping, or the discount"
        assert values.setdefault(body["order_id"], body["value"]) == body["value"]


def test_a_life_begins_before_it_goes_on(told: list[Told]) -> None:
    """Each later event of an order or coupon needs the earlier one that it follows from."""
    needs = {
        "order_paid": "order_created",
        "payment_failed": "order_created",
        "order_cancelled": "order_created",
        "order_refunded": "order_paid",
        "coupon_claimed": "coupon_issued",
        "coupon_redeemed": "coupon_claimed",
        "coupon_expired": "coupon_claimed",
    }
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for one in told:
        name = one.body["event_name"]
        assert needs.get(name, name) in seen[one.key] | {name}
        seen[one.key].add(name)
        assert not {"order_paid", "order_cancelled"} <= seen[one.key]
        assert not {"coupon_redeemed", "coupon_expired"} <= seen[one.key]


def test_stock_falls_with_sales_but_stays_far_from_its_safety(told: list[Told]) -> None:
    levels: defaultdict[str, list[int]] = defaultdict(list)
    for one in told:
        if one.kind == "inventory":
            assert one.body["available"] > 5 * one.body["safety_stock"]
            levels[one.key + one.body["warehouse_id"]].append(one.body["available"])
    assert len(levels) == 600
    assert sum(shelf[-1] < shelf[0] for shelf in levels.values()) > 50


def test_no_channel_leaps_or_falls_silent(told: list[Told]) -> None:
    """In any 10 s a channel sees between a fifth and three times the page views of the minutes before."""
    views: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for one in told:
        if one.body["event_name"] in ("page_view", "view_item"):
            views[one.body["channel"]][(one.at_ms - START_MS) // 5000] += 1
    assert len(views) == 5
    for channel, buckets in views.items():
        # The first visits take a while to fill the shop.
        for last in range(36, SECONDS // 5):
            before = range(max(12, last - 61), last - 1)
            usual = 2 * sum(buckets[index] for index in before) / len(before)
            assert usual / 5 < buckets[last] + buckets[last - 1] < usual * 3, (channel, last, usual)


def test_the_course_is_gentle_and_average_where_it_says_so() -> None:
    plan = festival_plan(START_MS)
    curve = [plan.intensity(at) for at in range(plan.start_ms, plan.end_ms, 10_000)]
    assert all(0.95 < later / earlier < 1.05 for earlier, later in pairwise(curve))
    assert max(curve) < 2 * min(curve)
    assert 0.95 < sum(curve) / len(curve) < 1.05


@pytest.mark.parametrize("rate", [20.0, 150.0])
def test_it_sends_about_as_many_events_as_asked(rate: float) -> None:
    seconds = 600
    plan = festival_plan(START_MS)
    level = sum(plan.intensity(START_MS + s * 1000) for s in range(seconds)) / seconds
    # The first report of all stock comes on top, once.
    records = a_festival(events_per_second=rate).records()
    events = sum(1 for _ in takewhile(lambda one: one.time_ms < START_MS + seconds * 1000, records)) - 600
    assert 0.85 < events / seconds / rate / level < 1.15


def test_the_api_takes_the_campaign() -> None:
    campaign = Campaign.model_validate(a_festival().campaign.body)
    assert [phase.name for phase in campaign.phases] == ["warm_up", "burst", "long_tail"]
    assert campaign.targets.total["gmv"] > 0


def test_sales_stay_ahead_of_the_target(told: list[Told]) -> None:
    """Targets that a calm festival misses would make `gmv_behind_target` cry."""
    target = a_festival().campaign.body["targets"]["total"]["gmv"]
    sold = sum(Decimal(one.body["value"]) for one in told if one.body["event_name"] == "order_created")
    assert sold > Decimal(target) * SECONDS / (12 * 3600)


def test_a_backlog_has_exactly_as_many_events_as_asked_within_about_an_hour() -> None:
    values = list(backlog(1, 50_000, "x", START_MS))
    assert len(values) == 50_000
    source = a_festival(events_per_second=50_000 / 3600 * 1.05 + 2, seed=1, campaign_id="x")
    last = list(islice(source.records(), 50_000))[-1]
    assert START_MS + 2_700_000 < last.time_ms < START_MS + 3_600_000
