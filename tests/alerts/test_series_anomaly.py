"""The detector of one series: what it finds, what it lets be, and what it never does."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.detectors.nab import make
from services.alerts.series_anomaly import SeriesAnomaly, Tuning
from tests.alerts.curves import DAY, LENGTH, ONSET, Curve, busy_hours, changed, counts, days, moments, noise, replaced

SEEDS = range(5)
PAGING = Tuning(start=6.0, least=6.0)
WARM_UP = 3 * DAY


def scores(curve: Curve, tuning: Tuning | None = None) -> list[float]:
    series = SeriesAnomaly(tuning)
    return [series.step(*point) for point in zip(moments(len(curve)), curve, strict=True)]


def alarms(curve: Curve, tuning: Tuning | None = None) -> list[int]:
    """Where it says something, once it knows the series."""
    return [i for i, score in enumerate(scores(curve, tuning)) if score > 0 and i >= WARM_UP]


FOUND: dict[str, tuple[Callable[[int], Curve], int]] = {
    "a level that rises": (lambda seed: changed(noise(seed), lambda value: value + 20, DAY), 36),
    "a level that falls": (lambda seed: changed(noise(seed), lambda value: value - 20, DAY), 36),
    "a spike": (lambda seed: changed(noise(seed), lambda value: value + 100, 3), 6),
    "a spike upon a season": (lambda seed: changed(counts(seed), lambda value: value * 5, 3), 6),
    "a season that goes flat": (lambda seed: replaced(days(seed), DAY, 100.0), DAY),
    "busy hours that do not come": (lambda seed: changed(busy_hours(seed), lambda value: value - 200, 72), 24),
    "noise that goes flat": (lambda seed: replaced(noise(seed), DAY, 101.5), 72),
    "noise that goes wild": (lambda seed: changed(noise(seed), lambda value: 7 * value - 600, DAY), 36),
    "traffic that stops": (lambda seed: replaced(counts(seed), DAY, 0.0), 48),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FOUND)
def test_found(name: str, seed: int) -> None:
    """Catches: a kind of anomaly that no view sees, or that is told only when it is over."""
    make_curve, within = FOUND[name]
    assert any(ONSET <= i < ONSET + within for i in alarms(make_curve(seed)))


@pytest.mark.parametrize("curve", [noise, days, busy_hours, counts])
def test_quiet(curve: Callable[[int], Curve]) -> None:
    """Catches: alarms from chance alone. Of eleven days each, an alarm every two is let pass, and a rule's bar lets
    nothing pass."""
    told = [len(alarms(curve(seed))) for seed in SEEDS]
    assert sum(told) / len(told) <= 5.5
    assert not any(alarms(curve(seed), PAGING) for seed in SEEDS)


def test_an_outbreak_is_not_told_again_and_again() -> None:
    """Catches: an alarm a minute for as long as the cause lasts. It may be told twice while it grows."""
    curve = changed(noise(1), lambda value: value + 60, DAY)
    assert len([i for i in alarms(curve) if ONSET <= i < ONSET + DAY]) <= 3


def test_a_small_alarm_hides_no_large_one() -> None:
    """Catches: a silence that swallows the outage which a tremor went before."""
    curve = noise(1)
    curve[ONSET - 30 : ONSET - 20] = [value + 20 for value in curve[ONSET - 30 : ONSET - 20]]
    told = alarms(changed(curve, lambda value: value + 200, 20))
    assert any(ONSET - 30 <= i < ONSET - 20 for i in told)
    assert any(ONSET <= i < ONSET + 6 for i in told)


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(st.floats(), max_size=80))
def test_scores_are_scores(curve: Curve) -> None:
    """Catches: a division by nothing, an overflow, a NaN that gets out."""
    assert all(0.0 <= score < 1.0 for score in scores(curve))


@given(st.lists(finite, min_size=30, max_size=80))
def test_what_is_not_finite_is_no_point(curve: Curve) -> None:
    """Catches: one NaN after which a series is never judged again."""
    times = moments(len(curve))
    plain = scores(curve)
    series = SeriesAnomaly()
    held = []
    for moment, value in zip(times, curve, strict=True):
        assert series.step(moment, math.nan) == series.step(moment, math.inf) == 0.0
        held.append(series.step(moment, value))
    assert held == plain


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0.0), (1e6, 0.0), (-1.0, 0.0), (0.25, 1e4), (7.0, -300.0)])
def test_units_do_not_matter(factor: float, shift: float) -> None:
    """Catches: a constant that was meant for one unit."""
    curve = changed(counts(3), lambda value: value * 4, 12)
    plain, other = scores(curve), scores([factor * value + shift for value in curve])
    assert [score > 0 for score in plain] == [score > 0 for score in other]
    assert other == pytest.approx(plain, rel=1e-5)


def test_a_constant_is_quiet_and_a_change_of_it_is_not() -> None:
    """Catches: rounding taken for variance, and variance of nothing taken for a reason to say nothing."""
    assert not any(scores([0.1] * LENGTH))
    told = alarms([0.1] * ONSET + [0.2] * DAY)
    assert told
    assert ONSET <= told[0] <= ONSET + 2


def test_the_state_does_not_grow() -> None:
    """Catches: history that is kept."""
    series = SeriesAnomaly()
    sizes = []
    for moment, value in zip(moments(40 * DAY), days(2, 40 * DAY), strict=True):
        series.step(moment, value)
        if (moment - moments(1)[0]) % (10 * 86_400) == 0:
            sizes.append(len(pickle.dumps(series)))
    assert sizes[-1] == pytest.approx(sizes[1], rel=0.05)
    assert sizes[-1] < 10_000


def test_the_scorer_says_what_the_series_says() -> None:
    """Catches: a time that is read in the machine's zone."""
    curve = changed(days(4), lambda value: value + 150, 5)
    start = datetime.fromtimestamp(moments(1)[0], UTC)
    aware, naive = make(), make()
    for i, (value, score) in enumerate(zip(curve, scores(curve), strict=True)):
        moment = start + timedelta(seconds=300 * i)
        assert aware.score(moment, value) == naive.score(moment.replace(tzinfo=None), value) == (score > 0)
