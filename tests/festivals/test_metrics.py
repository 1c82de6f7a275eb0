"""Overview, breakdowns, series and their filters equal what DuckDB makes of the same records."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.festivals import flash, presale, regions
from tests.festivals.checks import floor, overview_problems, table_problems
from tests.festivals.duck_metrics import DIMENSIONS, Filters
from tests.festivals.system import System

JOURNEY = "completejourney-9"
CAMPAIGNS = (presale.NAME, flash.NAME, regions.NAME, JOURNEY)
# Sweeps over every dimension: two festivals each time, the other two in `make test-system`.
SWEPT = [
    pytest.param(presale.NAME, marks=pytest.mark.system),
    flash.NAME,
    regions.NAME,
    pytest.param(JOURNEY, marks=pytest.mark.system),
]


def test_what_is_refused(system: System) -> None:
    """Catches a refusal that eats a good event, or a bad event that counts."""
    rows = system.get("/dead-letters", limit=10_000)["rows"]
    said: dict[str, int] = {}
    for row in rows:
        said[row["reason"]] = said.get(row["reason"], 0) + 1
    assert said == system.duck.refused()


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_overview(system: System, campaign: str) -> None:
    """By default, over everything, and over odd stretches of time."""
    start, now = system.start(campaign), system.now(campaign)
    assert system.duck.one("SELECT count(*) AS n FROM events WHERE campaign = $name", name=campaign)["n"] > 10_000
    wrong = overview_problems(system, campaign)
    for share, length in ((0.0, 0.1), (0.31, 0.17), (0.5, 0.001), (0.7, 0.5), (-0.1, 2.0)):
        first = start + (now - start) * share
        wrong += overview_problems(system, campaign, (first, first + (now - start) * length))
    assert not wrong


@pytest.mark.parametrize("campaign", [*SWEPT[:3], JOURNEY])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_breakdown_and_filters(system: System, campaign: str, dimension: str) -> None:
    """Each dimension over everything and in a part; then each of its values as a filter, alone and together."""
    start, now = system.start(campaign), system.now(campaign)
    wrong = table_problems(system, campaign, by=dimension)
    part = start + (now - start) * 0.37, start + (now - start) * 0.93
    wrong += table_problems(system, campaign, part, by=dimension)
    values = values_of(system, campaign, dimension)
    for value in values[:3]:
        wrong += overview_problems(system, campaign, part, {dimension: value})
    wrong += overview_problems(system, campaign, filters={dimension: values[:2]})
    assert not wrong


CROSSINGS: list[tuple[str, str | None]] = [
    ("channel", "region"),
    ("channel", "item_id"),
    ("item_category", "item_id"),
    ("item_id", "phase"),
    ("utm_source", "channel"),
    ("phase", "customer_type"),
    ("customer_type", "item_category"),
    ("device_category", "region"),
    ("region", None),
]


@pytest.mark.parametrize("campaign", SWEPT)
@pytest.mark.parametrize(("filtered", "by"), CROSSINGS)
def test_crossings(system: System, campaign: str, filtered: str, by: str | None) -> None:
    """Two dimensions at once: a breakdown within a value, and both as filters."""
    wrong = []
    for value in values_of(system, campaign, filtered)[:2]:
        filters: Filters = {filtered: value}
        if by is None:
            wrong += table_problems(system, campaign, interval="1h", filters=filters)
            continue
        wrong += table_problems(system, campaign, by=by, filters=filters)
        other = values_of(system, campaign, by)[0]
        wrong += overview_problems(system, campaign, filters={filtered: value, by: other})
    assert not wrong


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h", "1d"])
def test_series(system: System, campaign: str, interval: str) -> None:
    """Buckets on the campaign's own clock, with distinct counts of their own."""
    start, now = system.start(campaign), system.now(campaign)
    length = min(now - start, {"1m": timedelta(hours=3), "5m": timedelta(hours=14)}.get(interval, now - start))
    middle = floor(start + (now - start - length) * 0.8) + timedelta(minutes=7)
    assert not table_problems(system, campaign, (middle, middle + length), interval=interval)


@pytest.mark.parametrize("campaign", SWEPT)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_series_by_dimension(system: System, campaign: str, dimension: str) -> None:
    """Grouped series by the hour and by the day."""
    end = system.now(campaign)
    start = max(system.start(campaign), end - timedelta(hours=30))
    wrong = table_problems(system, campaign, by=dimension, interval="1d")
    assert not wrong + table_problems(system, campaign, (start, end), by=dimension, interval="1h")


def values_of(system: System, campaign: str, dimension: str) -> list[str]:
    """Values of a dimension, the most frequent first, and `unknown` among the first three where it occurs."""
    tables = [name for name in ("traffic", "lines", "coupons", "spend") if _has(system, name, dimension)]
    union = " UNION ALL ".join(f"SELECT {dimension} AS v FROM {name} WHERE campaign = $campaign" for name in tables)
    rows = system.duck.query(f"SELECT v FROM ({union}) GROUP BY v ORDER BY count(*) DESC, v", campaign=campaign)
    found = [str(row["v"]) for row in rows]
    return sorted(found[:50], key=lambda value: (found.index(value) > 1, value != "unknown", found.index(value)))


def _has(system: System, table: str, dimension: str) -> bool:
    names = {row["column_name"] for row in system.duck.query(f"DESCRIBE {table}")}
    return dimension in names
