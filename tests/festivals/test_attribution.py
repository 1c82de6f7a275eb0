"""What orders are credited to equals DuckDB's, by every model and dimension."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.festivals.money_checks import attribution_problems
from tests.festivals.system import System
from tests.festivals.test_metrics import SWEPT

QUESTIONS = [("order", "channel"), ("order", "utm_source")] + [
    (model, by)
    for model in ("first_touch", "last_touch")
    for by in ("channel", "utm_source", "utm_medium", "utm_campaign")
]


@pytest.mark.parametrize("campaign", SWEPT)
@pytest.mark.parametrize(("model", "by"), QUESTIONS)
def test_attribution(system: System, campaign: str, model: str, by: str) -> None:
    """Catches touches after the payment, ties taken at random, and refunds credited where they were refunded."""
    start, now = system.start(campaign), system.now(campaign)
    part = start + (now - start) * 0.31, start + (now - start) * 0.83
    look_back = (timedelta(days=2), "2d") if by == "utm_medium" else (timedelta(minutes=2), "2m")
    wrong = attribution_problems(system, campaign, (start, now), model, by)
    assert not wrong + attribution_problems(system, campaign, part, model, by, look_back)
