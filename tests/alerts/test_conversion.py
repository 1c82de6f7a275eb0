"""Fewer orders of the same traffic: told where they are missing, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.alerts.alert import Transition
from services.alerts.conversion import Conversion, Tally, chance_of_so_few, learn_conversion
from services.alerts.series import Series
from tests.alerts.test_planned_traffic import OPENS, SHARES, plateau, rush, town_of
from tests.alerts.town import Town
from tests.alerts.town import watch as look_on


def watch(town: Town, start: int, end: int, *, step: int = 1) -> list[tuple[int, Transition]]:
    """What people are told: a conversion drop first waits a moment for its cause. Without escalations."""
    return [(second, t) for second, t in look_on(town, start, end, step=step) if t.notice in ("firing", "resolved")]


def told(changes: list[tuple[int, Transition]]) -> list[tuple[str, str]]:
    return [(t.alert.rule, t.notice) for _, t in changes]


def conversion_changes(town: Town, start: int, end: int, step: int = 1) -> list[tuple[int, str, str]]:
    return [
        (second, t.alert.labels["channel"], t.alert.state.value)
        for second, t in watch(town, start, end, step=step)
        if t.alert.rule == "conversion_drop"
    ]


@pytest.mark.parametrize(("channel", "within"), [("app", 110), ("web", 200)])
def test_a_checkout_that_takes_no_order_fires_and_ends(channel: str, within: int) -> None:
    # 20 events a second: 13.7 orders a minute in the app, 7.2 on the web.
    town = town_of(20, 7, length=1200)
    town.plan = None
    town.vary_orders(lambda s: 0.03 if 200 <= s < 800 else 1.0, [channel])
    changes = watch(town, 150, 1190, step=2)
    assert told(changes) == [("conversion_drop", "firing"), ("conversion_drop", "resolved")]
    (fired, first), (resolved, _) = changes
    assert first.alert.labels["channel"] == channel
    assert 200 < fired <= 200 + within
    assert 800 < resolved <= 1050
    begun = first.alert.starts_at // 1000 - town.look(0).now // 1000
    assert abs(begun - 200) <= 45
    assert first.alert.threshold == pytest.approx(1.5, rel=0.15)


def test_robots_lose_nobody_an_order() -> None:
    town = town_of(20, 8, length=1200)
    town.plan = None
    town.vary(lambda s: 9 if 200 <= s < 700 else 1.0, ["web"])
    town.vary_orders(lambda s: 1.0, ["web"])
    assert told(watch(town, 150, 1190, step=4)) == [("traffic_spike", "firing"), ("traffic_spike", "resolved")]


def test_a_channel_without_people_has_lost_its_traffic_and_not_its_conversion() -> None:
    town = town_of(30, 9, length=1000)
    town.plan = None
    town.vary(lambda s: 0.05 if 200 <= s < 600 else 1.0, ["app"])
    assert told(watch(town, 150, 990, step=2)) == [("traffic_drop", "firing"), ("traffic_drop", "resolved")]


@pytest.mark.parametrize("channels", [(), ("live",)], ids=["all", "live"])
def test_a_sale_at_which_people_look_and_do_not_buy_is_in_order(channels: tuple[str, ...]) -> None:
    town = town_of(30, 10)
    town.vary(plateau(5), channels)
    # Four in five of them only look, from the opening on.
    town.vary_orders(lambda s: 1.0, channels)
    assert conversion_changes(town, 240, 2390, step=7) == []


@pytest.mark.parametrize("after", [400, 800])
def test_a_checkout_that_breaks_during_a_sale_fires(after: int) -> None:
    town = town_of(40, 11, length=1400)
    shape = rush(5)
    town.vary(shape)
    town.vary_orders(lambda s: shape(s - 30) * (0.03 if OPENS + after <= s < OPENS + after + 200 else 1), ["app"])
    changes = conversion_changes(town, 600, 1390, step=2)
    assert [(channel, state) for _, channel, state in changes] == [("app", "firing"), ("app", "resolved")]
    assert OPENS + after < changes[0][0] < OPENS + after + 120


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_ups_and_downs_is_in_order(seed: int) -> None:
    town = Town({channel: 15 * share for channel, share in SHARES.items()}, seed=seed, length=3600)
    random = np.random.default_rng(seed)
    # Conversion drifts by a third, and orders come in bursts.
    bursts = random.gamma(4, 1 / 4, 800)
    town.vary(lambda s: 1 + 0.3 * math.sin(s / 900))
    town.vary_orders(lambda s: (1 + 0.3 * math.sin(s / 900 + 1)) * bursts[int(s + 3700) // 10 % 800])
    assert conversion_changes(town, 30, 3590, step=9) == []


@pytest.mark.parametrize("spread", [1.0, 2.5])
def test_how_much_orders_vary_is_learnt_from_half_an_hour(spread: float) -> None:
    random = np.random.default_rng(round(10 * spread))
    found = []
    for _ in range(40):
        visits = random.poisson(40, 120)
        # Orders in lumps of one size have that size as dispersion.
        bought = random.poisson(0.1 * visits / spread) * spread
        series = Series(0, 15, visits), Series(0, 15, bought.round().astype(np.int64))
        learnt = learn_conversion(*series, np.ones(120, dtype=np.bool_), 0, 1800)
        assert learnt is not None
        found.append(learnt.dispersion)
    assert float(np.median(found)) == pytest.approx(spread, rel=0.3)
    assert max(found) < 2 * spread


@settings(max_examples=60, deadline=None)
@given(orders=st.integers(0, 60), expected=st.floats(0.5, 80), known=st.integers(1, 400))
def test_the_chance_is_that_of_two_poisson_counts(orders: int, expected: float, known: int) -> None:
    normal = Conversion(0.03, 1.0, known, 30 * known, 3600)
    exact = stats.binom.cdf(orders, orders + known, expected / (expected + known))
    assert chance_of_so_few(orders, expected, normal) == pytest.approx(exact, rel=1e-9, abs=1e-300)


@given(seed=st.integers(0, 2**16), first=st.integers(0, 39), into=st.integers(0, 180), length=st.integers(0, 600))
def test_a_tally_counts_every_second_once(seed: int, first: int, into: int, length: int) -> None:
    seconds = np.random.default_rng(seed).integers(0, 9, 600)
    past = Series(0, 15, seconds[:480].reshape(-1, 15).sum(axis=1))
    tally = Tally(past, Series(425, 1, seconds[425:]))
    for start in (first * 15, 425 + min(into, 175)):
        end = min(600, max(start, 435) + length)
        assert tally.count(start, end) == seconds[start:end].sum()
