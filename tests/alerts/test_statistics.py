"""Tails of the Poisson distribution against sums of its terms, and far out, where only the logarithm is left."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.statistics import log_lower_tail, log_upper_tail


def _term(k: int, mean: float) -> float:
    return math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))


@given(st.integers(0, 120), st.floats(0.01, 80))
def test_both_tails_are_sums_of_terms(count: int, mean: float) -> None:
    below = math.fsum(_term(k, mean) for k in range(count + 1))
    upper = math.fsum(_term(k, mean) for k in range(count, count + 400))
    assert math.exp(log_lower_tail(count, mean)) == pytest.approx(min(1, below), rel=1e-8, abs=1e-12)
    assert math.exp(log_upper_tail(count, mean)) == pytest.approx(min(1, upper), rel=1e-8, abs=1e-12)


@given(st.floats(0.1, 5000), st.floats(1, 1.5), st.floats(0.01, 2000))
def test_more_is_less_probable(count: float, factor: float, mean: float) -> None:
    assert log_upper_tail(count * factor, mean) <= log_upper_tail(count, mean) + 1e-9
    assert log_lower_tail(count, mean * factor) <= log_lower_tail(count, mean) + 1e-9


def test_what_underflows_is_still_told() -> None:
    assert log_upper_tail(80_000, 10_000) == pytest.approx(-96_360, rel=1e-2)
    assert log_lower_tail(0, 10_000) == pytest.approx(-10_000)
    assert log_upper_tail(3, 0) == -math.inf
