"""Refunds of an item that sells fast: its usual share of them is nothing, far more than that is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from services.alerts.detectors.refund_anomaly import RefundAnomaly, RefundAnomalyParameters
from services.alerts.detectors.refund_share import MOST_SHARE, explained, orders_in, usual_share
from services.alerts.history import Orders
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene, Sold
from tests.alerts.town import CAMPAIGN, Town

SCENE = Town({"app": 10.0, "web": 10.0}, length=100).look(90).campaigns[CAMPAIGN]
PARAMETERS = RefundAnomalyParameters()
DETECTOR = RefundAnomaly(PARAMETERS)
WINDOW = PARAMETERS.window_seconds
ITEMS = 60
HOT = "hot"


def selling(per_minute: float, minutes: int, seconds: int) -> Sold:
    """A sale that began so many whole minutes, and so many seconds, before now."""
    whole, present = round(per_minute), round(per_minute * seconds / 60)
    orders = whole * min(minutes, 14) + present
    return Sold(orders, orders * 10.0, 840 + seconds, orders, whole if minutes else 0, present, seconds)


def scene(refunds: int, sold: Sold, paid: int, refunded: int, share: float) -> CampaignScene:
    """`refunds` of one item over the last 40 s; it had `refunded` of `paid` orders in the hour, all others `share`."""
    second = SCENE.now // 1000
    points: dict[int, int] = {}
    for n in range(refunds):
        at = second - 1 - n * 40 // refunds
        points[at] = points.get(at, 0) + 1
    before = {f"sku-{n}": Orders(100, round(100 * share)) for n in range(ITEMS - 1)}
    history = replace(
        SCENE.history,
        writing_until=0,
        items=ITEMS,
        refunds={**{item: round(one.refunded * 4 / 3) for item, one in before.items()}, HOT: refunded},
        before={**before, HOT: Orders(round(paid * 0.75), round(refunded * 0.75))},
    )
    return replace(SCENE, history=history, refunds=[], recent_refunds={HOT: sorted(points.items())}, sold={HOT: sold})


def fires(refunds: int, sold: Sold, paid: int, refunded: int, share: float) -> bool:
    verdicts = DETECTOR.judge(scene(refunds, sold, paid, refunded, share)) or []
    return any(verdict.sighting is Sighting.BREACH and verdict.labels == {"item_id": HOT} for verdict in verdicts)


def limit(sold: Sold, paid: int, refunded: int, share: float) -> int:
    """The least number of refunds that fires."""
    low, high = 1, 4
    while not fires(high, sold, paid, refunded, share):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if fires(middle, sold, paid, refunded, share):
            high = middle
        else:
            low = middle
    return high


@settings(max_examples=25, deadline=None)
@given(
    paid=st.integers(20, 3000),
    share=st.floats(0.002, 0.03),
    factor=st.floats(1, 50),
    minutes=st.integers(0, 14),
    seconds=st.integers(1, 59),
)
@example(paid=600, share=0.03, factor=50.0, minutes=0, seconds=20)
@example(paid=20, share=0.03, factor=10.0, minutes=3, seconds=0)
def test_the_usual_share_of_a_sale_is_silent(
    paid: int, share: float, factor: float, minutes: int, seconds: int
) -> None:
    per_minute = paid / 60 * factor
    sold = selling(per_minute, minutes, seconds)
    # Refunds that follow their orders at once: as many orders as the sale is old, or as the window is long.
    orders = per_minute / 60 * min(WINDOW, minutes * 60 + seconds)
    # What is known of the item is chance, too.
    chances = range(int(poisson.ppf(1e-3, paid * share)), int(poisson.ppf(0.999, paid * share)) + 1)
    step = max(1, len(chances) // 6)
    wrong = sum(
        step * poisson.pmf(refunded, paid * share) * poisson.sf(limit(sold, paid, refunded, share) - 1, orders * share)
        for refunded in chances[::step]
    )
    assert wrong < 3 * PARAMETERS.max_chance


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 60), st.floats(0.001, 0.2), st.integers(0, 3000))
def test_more_sales_never_lower_what_is_expected(
    busiest: int, more: int, refunded: int, usual: float, paid: int
) -> None:
    assume(refunded <= paid)
    few, many = (explained(orders_in(WINDOW, [(n, 60)]), refunded, paid, usual) for n in (busiest, busiest + more))
    assert few.mean <= many.mean
    assert few.mean <= MOST_SHARE * busiest
    if few.mean:
        assert few.log_tail(20) <= many.log_tail(20) + 1e-9


@settings(max_examples=60, deadline=None)
@given(paid=st.integers(0, 600), factor=st.floats(0, 5), share=st.floats(0, 0.03), seconds=st.integers(0, 59))
def test_a_burst_while_sales_are_as_usual_or_high_fires(paid: int, factor: float, share: float, seconds: int) -> None:
    assert fires(30 * 40 // 60, selling(paid / 60 * factor, 14, seconds), paid, round(paid * share), share)


@settings(deadline=None)
@example(paid=0, purchases=24, share=0.015625, seconds=0)
@example(paid=600, purchases=40, share=0.03, seconds=1)
@given(paid=st.integers(0, 600), purchases=st.integers(0, 40), share=st.floats(0, 0.03), seconds=st.integers(0, 59))
def test_refunds_do_not_hide_behind_a_few_purchases(paid: int, purchases: int, share: float, seconds: int) -> None:
    sold = Sold(purchases, 1.0, 840 + seconds, purchases, purchases, 0, seconds)
    assert fires(24, sold, paid, round(paid * share), share)
    assert fires(24, replace(sold, busiest=0, present=purchases), paid, round(paid * share), share)


def test_it_used_to_page_for_a_flash_sale() -> None:
    """600 orders an hour become 500 a minute, of which 3 % are refunded within seconds: eleven in the window."""
    sold = selling(500, 3, 30)
    assert not fires(round(500 * 0.75 * 0.03), sold, 600, 18, 0.03)
    assert fires(11, selling(10, 3, 30), 600, 18, 0.03)


def test_the_sum_of_what_is_known_of_many_is_a_share() -> None:
    assert usual_share(0, 0) == 0.02
    assert usual_share(300, 10_000) == np.float64(302 / 10_100)
    assert usual_share(1000, 0) == MOST_SHARE
