"""A metric against its own hour, and against the same minute of the baseline."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from services.alerts.detectors.baseline import Baseline, BaselineParameters
from services.alerts.detectors.seasonal import Seasonal, SeasonalParameters
from services.alerts.plan import Plan, PlannedPhase
from services.alerts.selection import Condition, Selection
from services.common.clock import MINUTE_MS
from tests.alerts.book import BEGIN_MS, Amounts, Book, breaches

MINUTES = 300


def orders(mean: Amounts | float, seed: int, name: str = "orders_paid") -> Book:
    drawn = np.random.default_rng(seed).poisson(np.broadcast_to(mean, MINUTES)).astype(float)
    return Book({"app": {name: drawn}, "web": {name: np.full(MINUTES, 20.0)}})


def looks(book: Book, minutes: range, plan: Plan | None = None, **parameters: str | float) -> list[tuple[int, str]]:
    detector = Seasonal(
        SeasonalParameters.model_validate(parameters), Selection("orders_paid", by="channel", window_ms=3 * MINUTE_MS)
    )
    found = []
    for minute in minutes:
        told = breaches(detector.judge(book.scene(detector, BEGIN_MS + minute * MINUTE_MS + 2000, plan)))
        found += [(minute, labels["channel"]) for labels in told]
    return found


@pytest.mark.parametrize("mean", [0.5, 8, 300])
@pytest.mark.parametrize("seed", range(2))
def test_what_chance_and_an_evening_do_is_usual(seed: int, mean: float) -> None:
    # Half as much again within an hour, at the most.
    evening = mean * (1 + 0.35 * np.sin(2 * np.pi * np.arange(MINUTES) / 240))
    assert looks(orders(evening, seed), range(20, MINUTES, 2)) == []


@pytest.mark.parametrize(("factor", "direction"), [(4.0, "up"), (0.1, "down")])
def test_a_jump_is_told_in_its_direction_and_while_it_lasts(factor: float, direction: str) -> None:
    mean = np.full(MINUTES, 60.0)
    mean[150:170] *= factor
    other = "down" if direction == "up" else "up"
    found = looks(orders(mean, 4), range(120, 200), direction=direction)
    assert {channel for _, channel in found} == {"app"}
    assert 151 <= found[0][0] <= 154
    assert 168 <= found[-1][0] <= 175
    # The way back is no jump the other way.
    assert looks(orders(mean, 4), range(120, 200), direction=other) == []
    assert looks(orders(mean, 4), range(120, 200)) == found


def test_a_change_that_was_planned_begins_a_new_level() -> None:
    mean = np.full(MINUTES, 30.0)
    mean[150:] *= 6
    plan = Plan(
        BEGIN_MS - 3_600_000,
        BEGIN_MS + MINUTES * MINUTE_MS,
        (PlannedPhase("burst", BEGIN_MS + 150 * MINUTE_MS, BEGIN_MS + MINUTES * MINUTE_MS),),
    )
    assert looks(orders(mean, 5), range(140, 240), plan) == []
    assert looks(orders(mean, 5), range(140, 240)) != []
    mean[200:210] = 0
    found = looks(orders(mean, 5), range(140, 240), plan)
    assert found
    assert 200 < found[0][0] <= 204


def test_the_same_minute_of_the_baseline_is_the_measure() -> None:
    before = BEGIN_MS - 364 * 86_400_000
    shape = 20 * (1 + np.sin(np.arange(MINUTES) / 20) ** 2)
    now = shape.copy()
    now[200:220] *= 0.3
    book = Book({"app": {"gmv": now * 50, "orders_created": now}})
    others = {"before": Book({"app": {"gmv": shape * 50, "orders_created": shape}}, before)}
    plan = Plan(BEGIN_MS, BEGIN_MS + MINUTES * MINUTE_MS, baseline_campaign_id="before", baseline_start_ms=before)
    for comparison, bound, due in (("<", "0.5", range(204, 222)), (">", "0.5", None)):
        detector = Baseline(
            BaselineParameters(count="orders_created", min_count=20),
            Selection("gmv", by="channel", window_ms=5 * MINUTE_MS, condition=Condition(comparison, Decimal(bound))),  # type: ignore[arg-type]
        )
        found = [
            minute
            for minute in range(10, MINUTES)
            if breaches(detector.judge(book.scene(detector, BEGIN_MS + minute * MINUTE_MS + 2000, plan, others=others)))
        ]
        if due is not None:
            assert found == list(due)
        else:
            assert set(found).isdisjoint(range(206, 220))
            assert len(found) > 250


def test_without_a_baseline_nothing_is_judged() -> None:
    detector = Baseline(
        BaselineParameters(), Selection("gmv", window_ms=5 * MINUTE_MS, condition=Condition("<", Decimal(1)))
    )
    plan = Plan(BEGIN_MS, BEGIN_MS + MINUTES * MINUTE_MS)
    assert list(detector.asks(BEGIN_MS, plan)) == []
    assert detector.judge(Book({}).scene(detector, BEGIN_MS + 10 * MINUTE_MS, plan)) == []
