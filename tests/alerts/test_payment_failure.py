"""Outages of payments are found within seconds, at any volume, and nothing else is one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.detectors.payment_failure import PaymentFailure, PaymentFailureParameters
from services.alerts.lifecycle import Sighting
from services.alerts.selection import Selection
from services.common.errors import ConfigurationError
from tests.alerts.tills import SELECTION, Tills

CHANNELS = ("app", "web", "live", "mini_program", "store")


def breaches(tills: Tills, second: int) -> set[str]:
    return {v.labels["channel"] for v in tills.judge(second) or [] if v.sighting is Sighting.BREACH}


@pytest.mark.parametrize("start", [0, 20, 45, 58])
@pytest.mark.parametrize("rate", [0.7, 3.0, 100.0])
def test_an_outage_is_found_in_time_wherever_in_the_minute_it_begins(rate: float, start: int) -> None:
    delays = []
    for seed in range(8):
        tills = Tills(dict.fromkeys(CHANNELS, rate), 0.05, seed=seed)
        tills.outage("web", 100 + start, 300, 0.9)
        delays.append(next(n for n in range(150) if breaches(tills, 100 + start + n)))
        assert breaches(tills, 100 + start + delays[-1]) == {"web"}
    assert np.median(delays) <= 12
    assert max(delays) <= (25 if rate < 1 else 15)


@pytest.mark.parametrize("rate", [0.5, 5.0, 200.0])
def test_it_is_over_soon_after_and_does_not_come_back(rate: float) -> None:
    tills = Tills({"app": rate, "web": rate}, 0.05, seed=3, length=400)
    tills.outage("app", 100, 200, 0.9)
    bad = [second for second in range(90, 390) if tills.judge(second)]
    assert bad[0] >= 100
    assert bad[-1] <= 200 + max(4, 8 / rate)
    assert bad == list(range(bad[0], bad[-1] + 1))


def test_half_as_many_again_at_a_high_rate_is_no_outage_and_twice_as_many_is() -> None:
    tills = Tills({"app": 200.0, "web": 200.0}, 0.08)
    tills.outage("app", 100, 300, 0.12)
    assert [second for second in range(90, 290) if breaches(tills, second)] == []
    tills.outage("web", 100, 300, 0.2)
    assert breaches(tills, 130) == {"web"}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    fails=st.floats(0, 0.3),
    rates=st.lists(st.floats(0.02, 80), min_size=1, max_size=6),
    factor=st.floats(0.1, 20),
)
def test_neither_chance_nor_more_payments_fire(seed: int, fails: float, rates: list[float], factor: float) -> None:
    tills = Tills({f"c{n}": rate for n, rate in enumerate(rates)}, fails, seed=seed)
    tills.busier(60, 200, factor, fails)
    assert [second for second in range(0, 300, 2) if breaches(tills, second)] == []


def test_chance_alone_fires_no_more_often_than_it_may() -> None:
    parameters = PaymentFailureParameters(max_chance=0.02, ratio=1.001, min_share=0.0, min_failed=2)
    fired = 0
    for seed in range(400):
        tills = Tills({"app": 2.0, "web": 1.0, "live": 0.5}, 0.1, seed=seed, length=1)
        fired += any(v.sighting is Sighting.BREACH for v in tills.judge(0, parameters) or [])
    # Bonferroni over groups and windows bounds it by 0.02 a look: 8 are expected at the most, 20 would be four sigma.
    assert fired <= 20


@given(st.integers(0, 40), st.integers(0, 40))
def test_more_failures_never_speak_against_an_outage(failed: int, more: int) -> None:
    def found(number: int) -> bool:
        tills = Tills({"app": 1.0, "web": 1.0}, 0.05, seed=1)
        tills.failed["web"][3700 - 20 : 3700] = 0
        tills.tried["web"][3700 - 20 : 3700] = 5
        spread = np.bincount(np.arange(number) % 20, minlength=20)
        tills.failed["web"][3700 - 20 : 3700] = np.minimum(spread, 5)
        return "web" in breaches(tills, 99)

    assert found(failed + more) or not found(failed)


def test_a_channel_that_is_new_is_held_against_the_others() -> None:
    tills = Tills({"app": 3.0, "live": 3.0}, 0.05, length=400)
    tills.tried["live"][: 3600 + 100] = 0
    tills.failed["live"][: 3600 + 100] = 0
    assert breaches(tills, 200) == set()
    tills.outage("live", 200, 400, 0.8)
    assert breaches(tills, 215) == {"live"}


def test_nothing_is_said_before_there_is_anything_to_hold_it_against() -> None:
    tills = Tills({"app": 3.0}, 0.05)
    tills.tried["app"][:3500] = 0
    tills.failed["app"][:3500] = 0
    tills.outage("app", 0, 300, 1.0)
    assert tills.judge(60) is None


def test_an_outage_never_becomes_what_is_normal() -> None:
    tills = Tills({"app": 3.0, "web": 3.0}, 0.05, length=3600)
    tills.outage("app", 0, 3600, 0.9)
    assert all(breaches(tills, second) == {"app"} for second in range(30, 3600, 97))


def test_the_loss_is_what_the_failed_payments_would_have_brought() -> None:
    tills = Tills({"app": 4.0, "web": 4.0}, 0.05, seed=2)
    tills.outage("app", 100, 300, 0.9)
    (verdict,) = tills.judge(240) or []
    assert verdict.impact is not None
    # 4 a second, 85 % of them beyond the usual, 100 each.
    assert verdict.impact.loss_per_minute == pytest.approx(Decimal(4 * 60 * 85), rel=Decimal("0.1"))
    assert abs((verdict.onset or 0) // 1000 - (1_900_000_800 + 3600 + 120)) <= 3


def test_another_metric_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="payments_failed"):
        PaymentFailure(PaymentFailureParameters(), Selection("orders_paid"))
    assert PaymentFailure(PaymentFailureParameters(), SELECTION).parameters.min_failed == 5
