"""Cohorts and experiments equal what DuckDB makes of the same records."""

from __future__ import annotations

import pytest

from tests.festivals import regions
from tests.festivals.buyer_checks import age_problems, cohort_problems, experiment_problems
from tests.festivals.duck_metrics import Filters
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("by", ["first_order_day", "first_channel"])
def test_cohorts(system: System, campaign: str, by: str) -> None:
    """Catches a first order looked for within the period only, and days cut in UTC."""
    start, now = system.start(campaign), system.now(campaign)
    part = start + (now - start) * 0.4, start + (now - start) * 0.9
    wrong = cohort_problems(system, campaign, (start, now), by) + cohort_problems(system, campaign, part, by)
    filters: list[Filters] = [{"channel": "app"}, {"region": ["CN-31", "IN-MH"]}]
    for chosen in filters:
        wrong += cohort_problems(system, campaign, (start, now), by, chosen)
    for age in ("1h", "1d", "7d"):
        wrong += age_problems(system, campaign, (start, now), by, age)
    assert not wrong + age_problems(system, campaign, part, by, "1d")


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_experiments(system: System, campaign: str) -> None:
    """Catches users of two variants counted in one, and orders before the exposure."""
    start, now = system.start(campaign), system.now(campaign)
    wrong = experiment_problems(system, campaign, (start, now))
    for share in (0.05, 0.3, 0.6):
        wrong += experiment_problems(system, campaign, (start, start + (now - start) * share))
    assert not wrong


def test_there_are_experiments(system: System) -> None:
    """The festival with experiments has some that cross."""
    rows = system.get("/experiments", campaign=regions.NAME)["rows"]
    assert len(rows) > 4
    assert any(row["crossed"] for row in rows)
