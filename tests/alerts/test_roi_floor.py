"""Returns: below the floor is told as surely as the orders can say, and few orders say little."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from services.alerts.detectors.roi_floor import RoiFloor, RoiFloorParameters
from services.alerts.plan import Plan
from services.common.clock import MINUTE_MS
from tests.alerts.book import BEGIN_MS, Book, breaches

MINUTES = 400


class Ads:
    """One channel: so many orders a minute of about 100 each, ads at a return of `roas`, and orders that trail."""

    def __init__(self, seed: int, orders: float, roas: float, *, lag: int = 3) -> None:
        self._random = np.random.default_rng(seed)
        self.cost = np.full(MINUTES, orders * 100 / roas)
        self.mean = np.full(MINUTES, orders)
        self.value = np.full(MINUTES, 100.0)
        self.lag = lag

    def book(self) -> Book:
        mean = np.concatenate([self.mean[: self.lag], self.mean])[:MINUTES]
        orders = self._random.poisson(mean)
        gmv = np.array([self._random.exponential(1.0, n).sum() for n in orders]) * self.value
        return Book({"web": {"orders_paid": orders.astype(float), "paid_gmv": gmv, "ad_cost": self.cost}})


def looks(book: Book, minutes: range, **parameters: float) -> list[int]:
    detector = RoiFloor(RoiFloorParameters(only_budgeted=False, **parameters))
    return [
        minute
        for minute in minutes
        if breaches(detector.judge(book.scene(detector, BEGIN_MS + minute * MINUTE_MS + 5000, None)))
    ]


@pytest.mark.parametrize("orders", [0.3, 2, 20])
@pytest.mark.parametrize("seed", range(3))
def test_a_return_of_two_is_above_a_floor_of_one(seed: int, orders: float) -> None:
    assert looks(Ads(seed, orders, 2.0).book(), range(60, MINUTES, 3)) == []


@pytest.mark.parametrize(("orders", "within"), [(2, 22), (10, 14)])
def test_a_wrong_price_is_told(orders: float, within: int) -> None:
    ads = Ads(1, orders, 3.0)
    ads.value[200:230] *= 0.02
    ads.cost[200:230] *= 2
    found = looks(ads.book(), range(100, 300))
    assert 200 < found[0] <= 200 + within
    assert found[-1] <= 250


def test_only_ads_with_a_budget_have_to_pay_for_themselves() -> None:
    """Catches: a page all festival long about a channel that nobody expects a return of."""
    book = Ads(1, 10, 0.3).book()
    detector = RoiFloor(RoiFloorParameters())
    plan = Plan(BEGIN_MS, BEGIN_MS + 24 * 3_600_000)
    budgeted = replace(plan, budgets={"web": Decimal(1000)})
    told = [
        breaches(detector.judge(book.scene(detector, BEGIN_MS + 200 * MINUTE_MS, known)))
        for known in (None, plan, budgeted)
    ]
    assert [bool(found) for found in told] == [False, False, True]


def test_ads_that_begin_before_their_orders_come_are_in_order() -> None:
    ads = Ads(2, 10, 2.0, lag=3)
    ads.cost[200:] *= 5
    ads.mean[200:] *= 5
    assert looks(ads.book(), range(100, 300)) == []


def test_little_spend_is_nobodys_trouble() -> None:
    assert looks(Ads(3, 0.05, 0.3).book(), range(60, MINUTES, 5), min_cost=1000) == []


def test_a_channel_that_never_sells_is_not_judged() -> None:
    book = Book({"outdoor": {"ad_cost": np.full(MINUTES, 500.0)}})
    assert looks(book, range(60, MINUTES, 20)) == []


def test_lumps_of_spend_are_judged_over_the_longest_window() -> None:
    ads = Ads(4, 10, 2.5)
    ads.cost[:] = 0
    ads.cost[14::15] = 15 * 10 * 100 / 2.5
    assert looks(ads.book(), range(60, MINUTES)) == []


def test_a_wrong_price_is_told_where_ads_cost_next_to_nothing() -> None:
    # A return of thirty: the spend of half an hour is less than the orders of two minutes.
    ads = Ads(5, 3, 30.0)
    ads.value[200:230] *= 0.01
    ads.cost[200:230] *= 2
    found = looks(ads.book(), range(100, 300), min_cost=1)
    assert 205 < found[0] <= 225
    assert found[-1] <= 240
