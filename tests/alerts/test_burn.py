"""Budgets: a channel that runs away is told while there is something left to save, and a sale in the plan is not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.detectors.burn import Burn, BurnParameters
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan, PlannedPhase
from services.common.clock import MINUTE_MS
from tests.alerts.book import BEGIN_MS, Amounts, Book, breaches

DAY = 24 * 60
CHANNELS = {"app": 40.0, "web": 25.0, "live": 10.0}


def plan_of(hours: float = 24, slack: float = 1.4, *phases: tuple[int, int]) -> Plan:
    minutes = round(hours * 60)
    return Plan(
        BEGIN_MS,
        BEGIN_MS + minutes * MINUTE_MS,
        tuple(
            PlannedPhase(f"p{n}", BEGIN_MS + a * MINUTE_MS, BEGIN_MS + b * MINUTE_MS) for n, (a, b) in enumerate(phases)
        ),
        budgets={name: Decimal(str(round(rate * minutes * slack))) for name, rate in CHANNELS.items()},
    )


def spend(seed: int, minutes: int = DAY) -> dict[str, Amounts]:
    """Twelve reports a minute, each of about the same amount, as busy as the hour of the day."""
    random = np.random.default_rng(seed)
    day = 1 + 0.4 * np.sin(2 * np.pi * np.arange(minutes) / DAY)
    return {name: rate * day * random.normal(1, 0.03, minutes) for name, rate in CHANNELS.items()}


def book_of(costs: dict[str, Amounts]) -> Book:
    return Book({name: {"ad_cost": amounts} for name, amounts in costs.items()})


def looks(costs: dict[str, Amounts], plan: Plan, minutes: range) -> list[tuple[int, str]]:
    """(minute, channel) of every breach, looked for in the middle of a minute of which half has come."""
    detector = Burn(BurnParameters())
    found = []
    for minute in minutes:
        now = BEGIN_MS + minute * MINUTE_MS + 30_000
        halved = {name: amounts.copy() for name, amounts in costs.items()}
        for amounts in halved.values():
            amounts[minute] /= 2
            amounts[minute + 1 :] = 0
        told = breaches(detector.judge(book_of(halved).scene(detector, now, plan)))
        found += [(minute, labels["channel"]) for labels in told]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_day_within_its_budget_is_in_order(seed: int) -> None:
    assert looks(spend(seed), plan_of(), range(1, DAY - 1, 7)) == []


@pytest.mark.parametrize("begins", [90, 700, 1300])
def test_a_channel_that_runs_away_is_told_within_two_minutes(begins: int) -> None:
    costs = spend(begins)
    costs["web"][begins : begins + 12] *= 8
    found = looks(costs, plan_of(), range(begins - 30, begins + 60))
    assert {channel for _, channel in found} == {"web"}
    assert found[0][0] <= begins + 2
    assert found[-1][0] <= begins + 14


def test_a_slow_leak_is_told_when_little_time_is_left() -> None:
    costs = spend(1)
    # Three times the usual is no surge, and would be through with it by the afternoon.
    costs["app"][60:] *= 3
    found = looks(costs, plan_of(), range(60, 700, 5))
    assert {channel for _, channel in found} == {"app"}
    budget = float(plan_of().budgets["app"])
    spent = costs["app"][: found[0][0]].sum()
    assert 0.3 * budget < spent < budget


def test_a_budget_that_is_used_up_and_left_alone_is_in_order() -> None:
    """Catches: an alert that stays until the campaign ends although the channel was paused, as the page said."""
    costs = spend(2, 600)
    for cost in costs.values():
        cost[200:] = 0
    plan = replace(plan_of(10, 0.5), budgets={name: Decimal(str(cost.sum())) for name, cost in costs.items()})
    assert looks(costs, plan, range(240, 599, 3)) == []


def test_a_budget_that_is_used_up_stays_told() -> None:
    costs = spend(2, 600)
    plan = plan_of(10, 0.5)
    found = looks(costs, plan, range(1, 599, 3))
    for name in CHANNELS:
        gone = int(np.flatnonzero(np.cumsum(costs[name]) >= float(plan.budgets[name]))[0])
        # In the last twentieth of the campaign it is no news.
        assert {minute for minute, channel in found if channel == name} >= set(range(1, 599, 3)) & set(
            range(gone + 1, 569)
        )


def test_a_sale_in_the_plan_that_every_channel_pays_for_is_in_order() -> None:
    costs = spend(3)
    for amounts in costs.values():
        amounts[600:612] *= 6
    assert looks(costs, plan_of(24, 1.4, (600, 612)), range(590, 640)) == []
    # The same without a plan is not.
    assert looks(costs, plan_of(), range(590, 640)) != []


def test_spend_that_is_reported_by_the_hour_is_no_surge() -> None:
    costs = {name: np.zeros(DAY) for name in CHANNELS}
    for name, rate in CHANNELS.items():
        costs[name][59::60] = 60 * rate
    assert looks(costs, plan_of(), range(1, DAY - 1, 3)) == []


def test_the_loss_is_what_goes_beyond_the_budget() -> None:
    detector = Burn(BurnParameters())
    plan = plan_of(10, 1.0)
    book = book_of({name: np.full(600, rate) for name, rate in CHANNELS.items()})
    book.measures["web"]["ad_cost"][90:] *= 10
    now = BEGIN_MS + 100 * MINUTE_MS + 59_999
    (verdict,) = detector.judge(book.scene(detector, now, plan)) or []
    assert verdict.sighting is Sighting.BREACH
    assert verdict.impact is not None
    spent = 90 * 25 + 11 * 250
    planned = (600 * 25 - spent) / ((plan.end_ms - now) / MINUTE_MS)
    assert float(verdict.impact.loss_per_minute) == pytest.approx(250 - planned, rel=0.01)


@given(rate=st.floats(0, 1000), budget=st.floats(0, 100_000), minute=st.integers(0, 119), into=st.integers(0, 59_999))
def test_nothing_makes_it_fail(rate: float, budget: float, minute: int, into: int) -> None:
    detector = Burn(BurnParameters())
    plan = Plan(BEGIN_MS, BEGIN_MS + 120 * MINUTE_MS, budgets={"app": Decimal(str(round(budget, 2)))})
    scene = book_of({"app": np.full(120, rate)}).scene(detector, BEGIN_MS + minute * MINUTE_MS + into, plan)
    for verdict in detector.judge(scene) or []:
        assert verdict.impact is not None
        assert verdict.impact.loss_per_minute >= 0
