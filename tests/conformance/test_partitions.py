"""The same stream over three partitions and with a second currency: what depends on arrival is still exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, NEVER_PUT, NIGHT, WIDE
from tests.conformance.checks import (
    breakdown_problems,
    funnel_problems,
    period_problems,
    series_problems,
    stock_problems,
)
from tests.conformance.events import festival
from tests.conformance.oracle import DIMENSIONS
from tests.conformance.system import System, loaded_system
from tests.conformance.test_dead_letters import letter_problems

SEED = 618
RATES = {"USD": Decimal("7.1")}


@pytest.fixture(scope="module")
def partitioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Another stream than that of the other tests; its amounts in dollars are exact in the reporting currency."""
    env = {
        "WARROOM_TOPIC_PARTITIONS": "3",
        "WARROOM_CURRENCY_RATES": json.dumps({name: str(rate) for name, rate in RATES.items()}),
    }
    records = festival(SEED, datetime.now(UTC), RATES)
    with loaded_system(tmp_path_factory.mktemp("partitions") / "warroom", records, RATES, env) as system:
        assert {place.partition for place in system.places} == {0, 1, 2}
        yield system


@pytest.mark.parametrize("campaign", [FESTIVAL, DST, NEVER_PUT, LIVE])
def test_overview(partitioned: System, campaign: str) -> None:
    """Every metric over the default period."""
    assert not period_problems(partitioned, campaign, None, None)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_breakdown(partitioned: System, dimension: str) -> None:
    """Every metric by every value."""
    assert not breakdown_problems(partitioned, FESTIVAL, dimension, WIDE, {})
    assert not breakdown_problems(partitioned, DST, dimension, WIDE, {"region": "CN-31"})


@pytest.mark.parametrize("group_by", [None, "channel"])
def test_series(partitioned: System, group_by: str | None) -> None:
    """Every metric by the hour."""
    assert not series_problems(partitioned, FESTIVAL, "1h", NIGHT, group_by, {})


@pytest.mark.parametrize("group_by", [None, "item_category", "channel"])
def test_funnel(partitioned: System, group_by: str | None) -> None:
    """Users whose steps lie in different topics and partitions."""
    assert not funnel_problems(partitioned, FESTIVAL, WIDE, group_by, {})


def test_inventory(partitioned: System) -> None:
    """The latest level of each warehouse."""
    assert not stock_problems(partitioned, FESTIVAL)


def test_dead_letters(partitioned: System) -> None:
    """Exactly what the contract refuses; the configured currency is none of it."""
    assert not letter_problems(partitioned, partitioned.letters())
