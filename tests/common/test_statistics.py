"""Statistics against published examples: a formula mistyped by a sign looks plausible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from services.common.statistics import (
    newcombe_interval,
    poisson_interval,
    shares_differ,
    split_is_even,
    wilson_interval,
)

SHARES = st.integers(1, 5_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe 1998, single proportion, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(successes: int, trials: int, low: float, high: float) -> None:
    found = wilson_interval(successes, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("own", "other", "low", "high"),
    # Newcombe 1998, difference of proportions, table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_as_published(own: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    found = newcombe_interval(*own, *other)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("count", "confidence", "low", "high"),
    # Garwood 1936.
    [
        (0, 0.9, 0.0, 2.996),
        (5, 0.9, 1.970, 10.513),
        (1, 0.95, 0.0253, 5.572),
        (5, 0.95, 1.623, 11.668),
        (10, 0.95, 4.795, 18.390),
    ],
)
def test_garwood_as_published(count: int, confidence: float, low: float, high: float) -> None:
    found = poisson_interval(count, confidence)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)


@given(count=st.integers(0, 10**6), confidence=st.sampled_from([0.5, 0.9, 0.99]))
def test_outside_the_interval_a_poisson_count_is_as_rare_as_promised(count: int, confidence: float) -> None:
    found, tail = poisson_interval(count, confidence), (1 - confidence) / 2
    assert found.low <= count <= found.high
    assert stats.poisson.cdf(count, found.high) == pytest.approx(tail, rel=1e-6)
    if count:
        assert stats.poisson.sf(count - 1, found.low) == pytest.approx(tail, rel=1e-6)


@given(share=SHARES)
def test_wilson_is_the_library_s_own(share: tuple[int, int]) -> None:
    found = wilson_interval(*share)
    wanted = stats.binomtest(*share).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert 0 <= found.low <= share[0] / share[1] <= found.high <= 1


@given(own=SHARES, other=SHARES)
def test_a_difference_turned_round_is_the_same_difference(own: tuple[int, int], other: tuple[int, int]) -> None:
    there, back = newcombe_interval(*own, *other), newcombe_interval(*other, *own)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= own[0] / own[1] - other[0] / other[1] <= there.high
    p = shares_differ(*own, *other)
    assert p == pytest.approx(shares_differ(*other, *own))
    assert 0 <= p <= 1 + 1e-12
    if own[0] * other[1] == other[0] * own[1]:
        assert p == pytest.approx(1)


def test_small_samples_are_tested_exactly() -> None:
    """Fisher's tea: three of four cups on either side; 0.486 is his own figure."""
    assert shares_differ(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert shares_differ(0, 10, 0, 10) == 1
    assert shares_differ(56, 70, 48, 80) == pytest.approx(0.008, abs=5e-4)


def test_a_skewed_split_is_told_from_chance() -> None:
    assert split_is_even([5_000, 5_010]) > 0.5
    assert split_is_even([5_000, 5_500]) < 0.001
    assert split_is_even([500]) == split_is_even([]) == split_is_even([0, 0]) == 1


@given(own=SHARES, other=SHARES)
@example(own=(1, 2_000_000), other=(9, 1_900_000))
@example(own=(3, 5), other=(900_000, 2_000_000))
def test_two_shares_are_compared_as_the_library_compares_them(own: tuple[int, int], other: tuple[int, int]) -> None:
    """Catches: the wrong tail, a table left out, and factorials that lose their digits where counts are large."""
    table = np.array([[own[0], own[1] - own[0]], [other[0], other[1] - other[0]]])
    both, everyone = own[0] + other[0], own[1] + other[1]
    if min(own[1], other[1]) * min(both, everyone - both) < 5 * everyone:
        wanted = stats.fisher_exact(table).pvalue
    else:
        wanted = stats.chi2_contingency(table, correction=False).pvalue
    assert shares_differ(*own, *other) == pytest.approx(wanted, rel=1e-6, abs=1e-300)


@given(counts=st.lists(st.integers(0, 10**7), min_size=2, max_size=8).filter(any))
def test_a_split_is_judged_as_the_library_judges_it(counts: list[int]) -> None:
    assert split_is_even(counts) == pytest.approx(stats.chisquare(counts).pvalue, rel=1e-9, abs=1e-300)
