"""Binomial and negative binomial tails against SciPy's, and far out, where only the logarithm is left."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.alerts.statistics import (
    log_binomial_lower_tail,
    log_binomial_upper_tail,
    log_negative_binomial_upper_tail,
)


@given(st.integers(0, 3000), st.integers(0, 3000), st.floats(1e-4, 1 - 1e-4))
def test_binomial_tails_are_scipys(count: int, more: int, share: float) -> None:
    trials = count + more
    upper, lower = stats.binom.sf(count - 1, trials, share), stats.binom.cdf(count, trials, share)
    assert math.exp(log_binomial_upper_tail(count, trials, share)) == pytest.approx(upper, rel=1e-7, abs=1e-14)
    assert math.exp(log_binomial_lower_tail(count, trials, share)) == pytest.approx(lower, rel=1e-7, abs=1e-14)


@given(st.integers(0, 500), st.floats(0.01, 50), st.floats(0.1, 20))
def test_negative_binomial_tails_are_scipys(count: int, mean: float, shape: float) -> None:
    expected = stats.nbinom.sf(count - 1, shape, shape / (mean + shape))
    assert math.exp(log_negative_binomial_upper_tail(count, mean, shape)) == pytest.approx(
        expected, rel=1e-7, abs=1e-14
    )


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.001, 0.999))
def test_more_failures_are_less_probable(failed: int, paid: int, share: float) -> None:
    trials = failed + paid
    tail = log_binomial_upper_tail(failed, trials, share)
    assert tail <= log_binomial_upper_tail(failed - 1, trials, share) + 1e-9
    assert tail <= log_binomial_upper_tail(failed, trials, min(0.9999, share * 1.1)) + 1e-9


def test_what_underflows_is_still_told() -> None:
    assert log_binomial_upper_tail(5000, 5000, 0.05) == pytest.approx(5000 * math.log(0.05))
    assert log_binomial_upper_tail(900_000, 1_000_000, 0.05) < -1e6
    assert log_negative_binomial_upper_tail(1000, 0.05, 1.0) == pytest.approx(1000 * math.log(0.05 / 1.05), rel=1e-6)


@pytest.mark.parametrize(("count", "trials", "share"), [(0, 0, 0.5), (0, 9, 0.5), (9, 9, 1.0)])
def test_what_is_certain(count: int, trials: int, share: float) -> None:
    assert log_binomial_upper_tail(count, trials, share) == 0


@pytest.mark.parametrize(("count", "trials", "share"), [(1, 9, 0.0), (10, 9, 0.5), (10, 9, 1.0)])
def test_what_is_impossible(count: int, trials: int, share: float) -> None:
    assert log_binomial_upper_tail(count, trials, share) == -math.inf
