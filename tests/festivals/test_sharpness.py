"""The checks see a single event more or less: otherwise their silence would say nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.festivals import buyer_checks, checks, flash, money_checks, pacing_checks, regions
from tests.festivals.system import System

Check = Callable[[System], list[str]]


def whole(system: System, campaign: str) -> tuple[datetime, datetime]:
    """From the festival's start to the moment at which it is looked at."""
    return system.start(campaign), system.now(campaign)


def _one(table: str, campaign: str, condition: str = "true") -> str:
    """Takes the last such event away."""
    return (
        f"DELETE FROM {table} WHERE event_id = (SELECT event_id FROM {table} WHERE campaign = '{campaign}'"
        f" AND {condition} ORDER BY happened DESC, event_id LIMIT 1)"
    )


PAID = _one("orders", regions.NAME, "name = 'order_paid' AND channel = 'app' AND happened < '2026-03-12T00:00:00Z'")
CASES: list[tuple[str, Check]] = [
    (_one("traffic", flash.NAME, "name = 'view_item'"), lambda s: checks.overview_problems(s, flash.NAME)),
    (_one("spend", flash.NAME), lambda s: checks.table_problems(s, flash.NAME, by="channel")),
    (_one("lines", regions.NAME, "name = 'order_paid' AND happened < '2026-03-12T00:00:00Z'"),
     lambda s: checks.table_problems(s, regions.NAME, by="item_id")),
    ("UPDATE lines SET amount = amount + 0.01 WHERE event_id = (SELECT min(event_id) FROM lines WHERE campaign ="
     f" '{regions.NAME}' AND name = 'order_paid')",
     lambda s: checks.table_problems(s, regions.NAME, by="item_category")),
    (PAID, lambda s: checks.table_problems(s, regions.NAME, interval="1d")),
    (PAID, lambda s: checks.overview_problems(s, regions.NAME, filters={"channel": "app"})),
    (_one("orders", flash.NAME, "name = 'order_paid' AND user_id = 'ten'"),
     lambda s: money_checks.ladder_problems(s, flash.NAME, whole(s, flash.NAME))),
    (PAID, lambda s: money_checks.attribution_problems(
        s, regions.NAME, whole(s, regions.NAME), "last_touch", "utm_source")),
    (PAID, lambda s: buyer_checks.cohort_problems(
        s, regions.NAME, whole(s, regions.NAME), "first_order_day")),
    (PAID, lambda s: buyer_checks.age_problems(
        s, regions.NAME, whole(s, regions.NAME), "first_channel", "1d")),
    ("UPDATE traffic SET variant = 'v9' WHERE event_id = (SELECT min(event_id) FROM traffic"
     " WHERE experiment = 'price.tag' AND variant = 'v1')",
     lambda s: buyer_checks.experiment_problems(s, regions.NAME, whole(s, regions.NAME))),
    (_one("inventory", flash.NAME), lambda s: checks.stock_problems(s, flash.NAME)),
    (PAID, lambda s: pacing_checks.pacing_problems(s, regions.NAME)),
    ("DELETE FROM traffic WHERE event_id = (SELECT any_value(event_id) FROM traffic WHERE name = 'begin_checkout'"
     f" AND campaign = '{regions.NAME}' GROUP BY user_id HAVING count(*) = 1 ORDER BY user_id LIMIT 1)",
     lambda s: checks.funnel_problems(s, regions.NAME)),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "check"), CASES)
def test_one_event_is_seen(system: System, statement: str, check: Check) -> None:
    """Silent with the events that there are, and not with one of them changed in DuckDB."""
    assert not check(system)
    system.duck.query("BEGIN TRANSACTION")
    try:
        system.duck.query(statement)
        assert check(system)
    finally:
        system.duck.query("ROLLBACK")
