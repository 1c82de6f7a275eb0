"""The money ladder equals DuckDB's, rung by rung."""

from __future__ import annotations

import pytest

from tests.festivals import flash
from tests.festivals.duck_money import ladder
from tests.festivals.money_checks import ladder_problems
from tests.festivals.system import System
from tests.festivals.test_metrics import CAMPAIGNS, values_of


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_ladder(system: System, campaign: str) -> None:
    """Over everything, over parts that cut a busy hour, and of the orders under a filter."""
    start, now = system.start(campaign), system.now(campaign)
    parts = [(start, now), (start, start + (now - start) * 0.21), (start + (now - start) * 0.3, now)]
    wrong = [line for part in parts for line in ladder_problems(system, campaign, part)]
    for dimension in ("channel", "region", "item_id", "item_category", "phase", "customer_type"):
        for value, part in zip(values_of(system, campaign, dimension), parts, strict=False):
            wrong += ladder_problems(system, campaign, part, {dimension: value})
    assert not wrong


def test_somebody_is_suspected(system: System) -> None:
    """Ten orders in a clock hour are too many, by user or by device; nine, or ten over two hours, are not."""
    found = ladder(system.duck, flash.NAME, system.start(flash.NAME), system.now(flash.NAME))
    assert found["net_of_suspicion"]["amount"] < found["net_of_refunds"]["amount"]
