"""How a goal stands: attained, expected by now, projected at the end, and what is needed. No input, no output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.metrics import METRICS, Unit, Value
from services.common.clock import MINUTE_MS
from services.metrics.pacing.goals import Goal, Nature, Scope, State
from services.metrics.pacing.projection import Projection, project

LATE_MINUTES = 15
"""The rate is that of the last quarter of an hour."""

BURN_MINUTES = 60
"""Spend is reported in lumps: the rate of a budget is that of the last hour."""

# The only sums that can fall: refunds come later than what they refund.
_FALLING = frozenset({"net_sales"})


@dataclass(frozen=True, slots=True)
class Part:
    """What came between two moments; `shape` is what came in the corresponding part of the baseline."""

    start_ms: int
    end_ms: int
    amount: Value
    shape: Value = None


@dataclass(frozen=True, slots=True)
class Course:
    """A goal's metric up to the moment at which it is judged.

    `parts` cover a sum's span up to then, one behind the other. `value` is the metric over all of that time.
    `baseline_then` and `baseline_total` are the baseline's value at the same distance from its start and over its
    whole corresponding span, `baseline_next` that a minute further on; None without a baseline whose span is over.
    """

    until_ms: int
    value: Value
    parts: Sequence[Part] = ()
    baseline_then: Value = None
    baseline_total: Value = None
    baseline_next: Value = None


@dataclass(frozen=True, slots=True)
class Pace:
    """One row of the pacing table; None where the metric's nature or the moment leaves nothing to say."""

    state: State
    value: Value
    attained: float | None
    expected: Value
    expected_from: str | None
    expected_per_minute: float | None
    ahead: Value
    projected: Value
    projected_low: Value
    projected_high: Value
    rate_per_minute: float | None
    needed_per_minute: float | None
    behind: bool | None
    exhausted_ms: int | None


def pace(goal: Goal, course: Course, now_ms: int) -> Pace:
    """Where the goal stands by the campaign's clock, judged up to `course.until_ms`."""
    state = goal.state(now_ms)
    share, expected_from = _share(goal, course)
    expected = None if share is None else _sized(goal, float(goal.target) * share)
    ahead = None if expected is None or course.value is None else _minus(course.value, expected)
    over = course.until_ms >= goal.end_ms
    settled = over and goal.nature is not Nature.RATIO
    if settled:
        expected = _exact(goal)
        ahead = None if course.value is None else _minus(course.value, expected)
    projection = _projection(goal, course)
    rate = _rate(goal, course)
    return Pace(
        state=state,
        value=course.value,
        attained=None if course.value is None or goal.target == 0 else float(Decimal(course.value) / goal.target),
        expected=expected,
        expected_from=None if expected is None else expected_from,
        expected_per_minute=None if over or share is None else _growth(goal, course, share, expected_from),
        ahead=ahead,
        # Not by way of a float where nothing is estimated.
        projected=course.value if over else None if projection is None else _sized(goal, projection.total),
        projected_low=course.value if settled else None if projection is None else _sized(goal, projection.low),
        projected_high=course.value if settled else None if projection is None else _sized(goal, projection.high),
        rate_per_minute=rate,
        needed_per_minute=_needed(goal, course, state),
        behind=None if ahead is None else ahead < 0,
        exhausted_ms=_exhausted(goal, course, rate),
    )


def _share(goal: Goal, course: Course) -> tuple[float | None, str]:
    """Which share of its target a goal should have reached, and what says so."""
    if goal.nature is Nature.RATIO:
        return None, ""
    if (reached := _reached(course, course.baseline_then)) is not None:
        return reached, "baseline"
    if goal.nature is Nature.DISTINCT and goal.start_ms < course.until_ms < goal.end_ms:
        return None, ""
    return (course.until_ms - goal.start_ms) / max(goal.end_ms - goal.start_ms, 1), "linear"


def _reached(course: Course, amount: Value) -> float | None:
    """Which share of the baseline an amount of it is; None without one in which there was anything."""
    if amount is None or course.baseline_total is None or course.baseline_total <= 0:
        return None
    return float(Decimal(amount) / Decimal(course.baseline_total))


def _growth(goal: Goal, course: Course, share: float, share_from: str) -> float | None:
    """By how much the expectation grows in the minute to come."""
    if share_from == "baseline":
        following = _reached(course, course.baseline_next)
        return None if following is None else float(goal.target) * max(0.0, following - share)
    if goal.nature is Nature.DISTINCT:
        return None
    return float(goal.target) * MINUTE_MS / max(goal.end_ms - goal.start_ms, MINUTE_MS)


def _projection(goal: Goal, course: Course) -> Projection | None:
    if course.value is None or course.until_ms <= goal.start_ms:
        return None
    value = float(course.value)
    if goal.nature is Nature.RATIO:
        return Projection(value, None, None)
    if goal.nature is Nature.DISTINCT:
        return None
    amounts = [float(part.amount or 0) for part in course.parts]
    grows = goal.metric not in _FALLING
    if course.baseline_total is not None and course.baseline_total > 0:
        weights = [float(part.shape or 0) for part in course.parts]
        rest = float(course.baseline_total) - sum(weights)
    else:
        weights = [(part.end_ms - part.start_ms) / MINUTE_MS for part in course.parts]
        rest = (goal.end_ms - course.until_ms) / MINUTE_MS
    return project(amounts, weights, rest, grows=grows)


def _rate(goal: Goal, course: Course) -> float | None:
    if goal.nature is not Nature.SUM or course.until_ms <= goal.start_ms:
        return None
    window = BURN_MINUTES if goal.scope is Scope.BUDGET else LATE_MINUTES
    first = max(goal.start_ms, course.until_ms - window * MINUTE_MS)
    late = sum(float(part.amount or 0) for part in course.parts if part.start_ms >= first)
    return late / ((course.until_ms - first) / MINUTE_MS)


def _needed(goal: Goal, course: Course, state: State) -> float | None:
    if goal.nature is not Nature.SUM or state is State.ENDED or course.until_ms >= goal.end_ms:
        return None
    missing = goal.target - Decimal(course.value or 0)
    return max(0.0, float(missing)) / ((goal.end_ms - course.until_ms) / MINUTE_MS)


def _exhausted(goal: Goal, course: Course, rate: float | None) -> int | None:
    """When a budget is used up: the end of the part in which it was, else by the present burn rate."""
    if goal.scope is not Scope.BUDGET:
        return None
    spent = Decimal(0)
    for part in course.parts:
        spent += Decimal(part.amount or 0)
        # A budget of nothing is used up by the first that is spent, not before.
        if spent and spent >= goal.target:
            return part.end_ms
    if not rate:
        return None
    moment = course.until_ms + round(float(goal.target - spent) / rate * MINUTE_MS)
    return moment if moment < goal.end_ms else None


def _minus(value: Value, expected: Value) -> Value:
    assert value is not None
    assert expected is not None
    if isinstance(value, Decimal) or isinstance(expected, Decimal):
        return Decimal(value) - Decimal(expected)
    return value - expected


def _exact(goal: Goal) -> Value:
    return goal.target if METRICS[goal.metric].unit is Unit.MONEY else float(goal.target)


def _sized(goal: Goal, number: float | None) -> Value:
    """Money to the cent; counts stay fractions, which estimates are."""
    if number is None or METRICS[goal.metric].unit is not Unit.MONEY:
        return number
    return Decimal(number).quantize(Decimal("0.01"))
