"""Cohorts and experiments over HTTP held against DuckDB; each check returns what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tests.festivals.checks import keyed
from tests.festivals.compare import same
from tests.festivals.duck_buyers import ages, cohorts, experiments
from tests.festivals.duck_metrics import Filters
from tests.festivals.system import System

_MONEY: Final = {"paid_gmv", "refund_amount", "net_sales", "acquisition_cost"}
STEPS: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}


def cohort_problems(
    system: System, campaign: str, period: tuple[datetime, datetime], by: str, filters: Filters | None = None
) -> list[str]:
    """Every cohort with every column, in their order."""
    answer = system.get(
        "/cohorts", campaign=campaign, by=by, from_=period[0], to=period[1], limit=1000, **(filters or {})
    )
    expected = cohorts(system.duck, campaign, *period, by, filters)
    said = keyed(answer["rows"], "cohort")
    wrong = [] if [name for (name,) in said] == list(expected) else [f"cohorts {list(said)}, not {list(expected)}"]
    return wrong + [
        f"{campaign} {by} {filters or ''} {cohort} {name}: answered {said[cohort,][name]}, expected {value}"
        for cohort, wanted in expected.items()
        for name, value in wanted.items()
        if (cohort,) in said and not same(name, said[cohort,][name], value, money=name in _MONEY)
    ]


def age_problems(system: System, campaign: str, period: tuple[datetime, datetime], by: str, age: str) -> list[str]:
    """Every cohort at every age."""
    answer = system.get("/cohorts", campaign=campaign, by=by, age=age, from_=period[0], to=period[1], limit=10_000)
    expected = ages(system.duck, campaign, *period, by, STEPS[age])
    said = keyed(answer["rows"], "cohort", "age")
    wrong = [f"{campaign} {by} {age} {key}: in one only" for key in said.keys() ^ expected.keys()]
    return wrong + [
        f"{campaign} {by} {age} {key} {name}: answered {said[key][name]}, expected {value}"
        for key, wanted in expected.items()
        for name, value in wanted.items()
        if key in said and not same(name, said[key][name], value, money=name in _MONEY)
    ]


def experiment_problems(system: System, campaign: str, period: tuple[datetime, datetime]) -> list[str]:
    """Every variant: counts exactly, intervals and p-values to nine digits."""
    answer = system.get("/experiments", campaign=campaign, from_=period[0], to=period[1])
    expected = experiments(system.duck, campaign, *period)
    said = keyed(answer["rows"], "experiment", "variant")
    wrong = [f"{campaign} {key}: in one only" for key in said.keys() ^ expected.keys()]
    return wrong + [
        f"{campaign} {key} {name}: answered {said[key][name]}, expected {value}"
        for key, wanted in expected.items()
        for name, value in wanted.items()
        if key in said and not same(name, said[key][name], value, off=1e-9)
    ]
