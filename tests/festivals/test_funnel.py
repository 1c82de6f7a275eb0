"""Funnels equal DuckDB's: users, lost users, and the time between the steps."""

from __future__ import annotations

import pytest

from tests.festivals.checks import funnel_problems
from tests.festivals.duck_metrics import DIMENSIONS
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS, SWEPT, values_of


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_funnel(system: System, campaign: str) -> None:
    """Over everything, over parts, and of the events with a value."""
    start, now = system.start(campaign), system.now(campaign)
    wrong = funnel_problems(system, campaign)
    for share, length in ((0.0, 0.1), (0.4, 0.3), (0.5, 0.002)):
        first = start + (now - start) * share
        wrong += funnel_problems(system, campaign, (first, first + (now - start) * length))
    for dimension in DIMENSIONS:
        for value in values_of(system, campaign, dimension)[:2]:
            wrong += funnel_problems(system, campaign, filters={dimension: value})
    assert not wrong


@pytest.mark.parametrize("campaign", SWEPT)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_funnel_by_dimension(system: System, campaign: str, dimension: str) -> None:
    """A group's funnel is that of its events alone; within another dimension's value, too."""
    wrong = funnel_problems(system, campaign, by=dimension)
    channel = values_of(system, campaign, "channel")[0]
    assert not wrong + funnel_problems(system, campaign, by=dimension, filters={"channel": channel})
