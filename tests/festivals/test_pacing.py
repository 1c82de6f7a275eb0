"""Targets, budgets and their pace equal what DuckDB makes of the same records."""

from __future__ import annotations

import pytest

from tests.festivals import presale
from tests.festivals.pacing_checks import pacing_problems
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_pacing(system: System, campaign: str) -> None:
    """Catches phases that do not switch, a shape taken from the wrong stretch, and budgets over all channels."""
    assert not pacing_problems(system, campaign)


def test_every_case_is_there(system: System) -> None:
    """Phases that are over, on their way and to come; shapes from a baseline."""
    rows = system.get("/pacing", campaign=presale.NAME)["rows"]
    assert {row["state"] for row in rows} == {"ended", "current", "upcoming"}
    assert "baseline" in {row["expected_from"] for row in rows}
