"""Stock: what will be gone within minutes is told before it is, and two sales in a row foretell nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.alerts.detectors.base import Verdict
from services.alerts.detectors.stock import StockLow, StockLowParameters, StockOut, StockOutParameters
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene, Sold, StockLevel
from services.alerts.service import AlertsService
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.book import BEGIN_MS, Book
from tests.alerts.shop import Shop

QUARTER = 15 * 60


def scene(
    available: int, units: int, *, safety: int | None = None, price: float = 50.0, falling: bool = True
) -> CampaignScene:
    detector = StockLow(StockLowParameters())
    stock = {"sku": StockLevel(available, safety, True, {"w": available}, falling)}
    sold = {"sku": Sold(units, units * price, QUARTER)} if units else {}
    return Book({}).scene(detector, BEGIN_MS + 3_600_000, None, stock=stock, sold=sold)


def low(available: int, units: int, safety: int | None = None) -> Verdict | None:
    return next(iter(StockLow(StockLowParameters()).judge(scene(available, units, safety=safety)) or []), None)


def test_what_sells_out_within_minutes_is_low_whatever_its_safety_stock() -> None:
    verdict = low(100, 150)
    assert verdict is not None
    assert verdict.sighting is Sighting.BREACH
    assert verdict.facts["minutes"] == 10
    assert "at 10.0 a minute it lasts 10 min" in str(verdict.facts["reason"])


@pytest.mark.parametrize(("available", "units"), [(2, 2), (3, 2), (1000, 150), (400, 0)])
def test_two_sales_or_plenty_are_not(available: int, units: int) -> None:
    verdict = low(available, units)
    assert verdict is None or verdict.sighting is not Sighting.BREACH


def test_a_level_that_never_falls_is_not_what_is_sold_from() -> None:
    """Catches: a page for every item of a shop that reports its stock once a day, or reports what it may sell."""
    look = scene(100, 150, falling=False)
    assert StockLow(StockLowParameters()).judge(look) == []


def test_it_ends_later_than_it_began() -> None:
    begun, lasting = low(190, 150), low(250, 150)
    assert begun is not None
    assert lasting is not None
    assert (begun.sighting, lasting.sighting) == (Sighting.BREACH, Sighting.HOLDS) or begun.sighting is Sighting.HOLDS
    assert low(301, 150) is None


@given(available=st.integers(1, 500), units=st.integers(0, 400), safety=st.none() | st.integers(0, 100))
def test_it_breaches_just_when_one_of_the_limits_says_so(available: int, units: int, safety: int | None) -> None:
    verdict = low(available, units, safety)
    # Garwood's lower limit, by scipy's chi-square.
    surely = stats.chi2.ppf(0.01, 2 * units) / 2 / 15 if units else 0.0
    due = available <= 20 * surely or (safety is not None and 0 < available <= safety)
    assert (verdict is not None and verdict.sighting is Sighting.BREACH) == due


def test_a_stock_out_costs_what_the_item_sold() -> None:
    (verdict,) = StockOut(StockOutParameters()).judge(scene(0, 150, price=30.0)) or []
    assert verdict.impact is not None
    assert verdict.impact.loss_per_minute == Decimal("300.00")


async def test_the_store_says_what_an_item_sells(store: Store) -> None:
    shop = Shop(store, {"app": 3.0}, items=2)
    service = AlertsService(Settings(), store, clock=shop.clock)
    await service.restore()
    shop.write_history(until=2)
    # About 4.5 pieces a minute of each.
    shop.set_stock("sku-0", 47)
    shop.set_stock("sku-1", 1500)
    told = []
    for second in range(15):
        shop.tick()
        if second == 1:
            shop.set_stock("sku-0", 45)
        told += [t.alert for t in await service.look() if t.alert.campaign_id == shop.campaign]
    assert [(alert.rule, alert.labels["item_id"], alert.state.value) for alert in told] == [
        ("stock_low", "sku-0", "firing")
    ]
    assert 5 <= float(told[0].evidence["minutes_left"]) <= 20
