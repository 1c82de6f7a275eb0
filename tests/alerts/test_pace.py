"""Targets: told when they will be missed, and not while they may still be on course."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.detectors.pace import Pace, PaceParameters
from services.alerts.goals import Goal, planned_share
from services.alerts.plan import Plan, PlannedPhase
from services.common.clock import MINUTE_MS
from tests.alerts.book import BEGIN_MS, Amounts, Book, breaches

HOUR = 60
AOV = 100.0


def book_of(orders: Amounts, begin_ms: int = BEGIN_MS) -> Book:
    return Book({"app": {"orders_created": orders, "gmv": AOV * orders}}, begin_ms)


def plan_of_hours(hours: int, target: float, phases: list[tuple[str, int, int, float]] | None = None) -> Plan:
    return Plan(
        BEGIN_MS,
        BEGIN_MS + hours * HOUR * MINUTE_MS,
        tuple(
            PlannedPhase(
                name,
                BEGIN_MS + first * MINUTE_MS,
                BEGIN_MS + last * MINUTE_MS,
                {"gmv": Decimal(str(goal))} if goal else {},
            )
            for name, first, last, goal in phases or []
        ),
        {"gmv": Decimal(str(target))} if target else {},
    )


def looks(book: Book, plan: Plan, minutes: range, others: dict[str, Book] | None = None) -> list[tuple[int, str]]:
    """(minute, phase) of every breach."""
    detector = Pace(PaceParameters())
    found = []
    for minute in minutes:
        now = BEGIN_MS + minute * MINUTE_MS + 30_000
        told = breaches(detector.judge(book.scene(detector, now, plan, others=others)))
        found += [(minute, labels.get("phase", "campaign")) for labels in told]
    return found


def poisson(mean: float, minutes: int, seed: int) -> Amounts:
    return np.random.default_rng(seed).poisson(mean, minutes).astype(np.float64)


@pytest.mark.parametrize("seed", range(5))
def test_on_course_is_in_order_and_half_of_it_is_not(seed: int) -> None:
    plan = plan_of_hours(4, 240 * 3 * AOV)
    assert looks(book_of(poisson(3, 240, seed)), plan, range(240)) == []
    late = looks(book_of(poisson(1.5, 240, seed)), plan, range(240))
    assert late
    # As soon as the allowance is over, but for chance, and without a break.
    assert 20 <= late[0][0] <= 40
    assert [minute for minute, _ in late] == list(range(late[0][0], 240))


def test_a_night_is_not_behind_for_being_one() -> None:
    """Catches: a page in the small hours of a day whose one target does not say when it is due."""
    day = np.r_[np.full(8 * HOUR, 1.0), np.full(16 * HOUR, 7.0)]
    plan = plan_of_hours(24, float(day.sum()) * AOV)
    assert looks(book_of(day), plan, range(60, 24 * HOUR, 20)) == []
    late = looks(book_of(np.r_[day[: 12 * HOUR], np.full(12 * HOUR, 1.0)]), plan, range(60, 24 * HOUR, 20))
    assert 18 * HOUR <= late[0][0] <= 19 * HOUR


def test_a_warm_up_is_not_behind_for_being_one() -> None:
    # Four fifths of the target are to come in the last hour.
    phases = [("warm_up", 0, 180, 180 * AOV), ("burst", 180, 240, 720 * AOV)]
    orders = np.concatenate([np.full(180, 1.05), np.full(60, 12.5)])
    assert looks(book_of(orders), plan_of_hours(4, 900 * AOV, phases), range(240)) == []
    assert looks(book_of(orders), plan_of_hours(4, 900 * AOV), range(30, 170))


def test_a_phase_that_is_behind_is_named() -> None:
    phases = [("warm_up", 0, 120, 240 * AOV), ("burst", 120, 240, 1200 * AOV)]
    orders = np.concatenate([np.full(120, 2.2), np.full(120, 5.0)])
    found = looks(book_of(orders), plan_of_hours(4, 0, phases), range(240))
    assert {phase for _, phase in found} == {"burst"}
    assert 140 <= found[0][0] <= 145


def test_the_baselines_curve_says_what_is_due() -> None:
    # The year before two thirds came in the last hour.
    shape = np.concatenate([np.full(180, 1.0), np.full(60, 6.0)])
    plan = plan_of_hours(4, 540 * AOV)
    before = BEGIN_MS - 364 * 24 * HOUR * MINUTE_MS
    plan = Plan(plan.start_ms, plan.end_ms, (), plan.targets, baseline_campaign_id="before", baseline_start_ms=before)
    others = {"before": book_of(shape, before)}
    assert looks(book_of(shape * 0.95), plan, range(240), others) == []
    found = looks(book_of(shape * 0.6), plan, range(240), others)
    assert found
    assert 20 <= found[0][0] <= 60


def test_a_handful_of_orders_says_nothing() -> None:
    # Three quarters of what is due, which so few orders cannot tell from all of it.
    orders = np.zeros(240)
    orders[::4] = 1
    assert looks(book_of(orders), plan_of_hours(4, 80 * AOV), range(130)) == []


def test_the_loss_is_what_is_missing_by_the_minute() -> None:
    detector = Pace(PaceParameters())
    now = BEGIN_MS + 120 * MINUTE_MS + 1500
    verdicts = detector.judge(book_of(np.full(240, 1.0)).scene(detector, now, plan_of_hours(4, 240 * 3 * AOV)))
    assert verdicts
    (verdict,) = verdicts
    assert verdict.value == pytest.approx(1 / 3, rel=1e-3)
    assert verdict.impact is not None
    assert verdict.impact.loss_per_minute == Decimal("200.00")
    assert verdict.facts["attained"] == "12,000"


def test_what_has_not_arrived_yet_is_not_missing() -> None:
    detector = Pace(PaceParameters())
    plan = plan_of_hours(4, 240 * 3 * AOV)
    # All is on course, and the last quarter of an hour is on its way.
    orders = np.full(240, 2.6)
    orders[30:45] = 0
    scene = book_of(orders).scene(detector, BEGIN_MS + 45 * MINUTE_MS, plan, lag_ms=15 * MINUTE_MS)
    assert breaches(detector.judge(scene)) == []


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 600))
def test_what_is_due_only_grows_and_ends_at_all_of_it(targets: list[int], minute: int) -> None:
    length = 100 * len(targets)
    phases = [(f"p{n}", 100 * n, 100 * n + 100, float(target)) for n, target in enumerate(targets)]
    plan = plan_of_hours(1, 1, phases)
    goal = Goal("", BEGIN_MS, BEGIN_MS + length * MINUTE_MS, 1.0)

    def due(at: int) -> float:
        return planned_share(plan, goal, "gmv", BEGIN_MS + at * MINUTE_MS)[0]

    assert 0 <= due(minute) <= due(minute + 1) <= 1
    assert due(0) == 0
    assert due(length) == pytest.approx(1)
