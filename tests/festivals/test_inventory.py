"""Stock equals DuckDB's, whatever order the levels arrived in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.festivals.checks import floor, keyed
from tests.festivals.compare import same
from tests.festivals.duck_stock import stock
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS

NEAR = timedelta(milliseconds=2)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("share", [None, 0.02, 0.5, 0.9])
def test_inventory(system: System, campaign: str, share: float | None) -> None:
    """Levels by event time over all warehouses, the rate of the last quarter of an hour, and when it ends."""
    start, now = system.start(campaign), system.now(campaign)
    end = None if share is None else start + (now - start) * share
    rows = keyed(system.get("/inventory", campaign=campaign, to=end, limit=10_000)["rows"], "item_id")
    last = floor(now) + timedelta(minutes=1) if end is None else floor(end)
    expected = stock(system.duck, campaign, floor(start), last, now)
    wrong = [f"{item}: in one only" for item in {key for (key,) in rows} ^ expected.keys()]
    for item, wanted in expected.items():
        row = rows.get((item,), {})
        wrong += [
            f"{item} {name}: answered {row[name]}, expected {value}"
            for name, value in wanted.items()
            if name in row and not _fits(name, row[name], value)
        ]
    assert not wrong


def _fits(name: str, said: Any, expected: Any) -> bool:
    if isinstance(expected, datetime) and isinstance(said, str):
        return abs(datetime.fromisoformat(said) - expected) <= max(
            NEAR, abs(expected - datetime.now(expected.tzinfo)) * 1e-9
        )
    return same(name, said, expected)
