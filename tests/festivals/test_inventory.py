"""Stock equals DuckDB's, whatever order the levels arrived in."""

from __future__ import annotations

import pytest

from tests.festivals.checks import stock_problems
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("share", [None, 0.02, 0.5, 0.9])
def test_inventory(system: System, campaign: str, share: float | None) -> None:
    """Levels by event time over all warehouses, the rate of the last quarter of an hour, and when it ends."""
    start, now = system.start(campaign), system.now(campaign)
    assert not stock_problems(system, campaign, None if share is None else start + (now - start) * share)
