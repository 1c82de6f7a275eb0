"""Every kind of answer about one festival held against DuckDB: for a festival that is small."""

from __future__ import annotations

from tests.festivals import buyer_checks, checks, money_checks
from tests.festivals.system import System


def problems(system: System, campaign: str) -> list[str]:
    """What is wrong, a line for each."""
    start, now = system.start(campaign), system.now(campaign)
    part = start + (now - start) * 0.3, start + (now - start) * 0.9
    wrong = checks.overview_problems(system, campaign)
    wrong += checks.overview_problems(system, campaign, part, {"channel": "app"})
    for dimension in ("channel", "item_id", "phase", "customer_type"):
        wrong += checks.table_problems(system, campaign, by=dimension)
    wrong += checks.table_problems(system, campaign, part, interval="1h")
    wrong += checks.table_problems(system, campaign, by="channel", interval="1d")
    wrong += checks.funnel_problems(system, campaign)
    wrong += checks.funnel_problems(system, campaign, by="channel")
    wrong += checks.stock_problems(system, campaign)
    wrong += money_checks.ladder_problems(system, campaign, (start, now))
    for model, by in (("order", "channel"), ("first_touch", "utm_source"), ("last_touch", "channel")):
        wrong += money_checks.attribution_problems(system, campaign, (start, now), model, by)
    for by in ("first_order_day", "first_channel"):
        wrong += buyer_checks.cohort_problems(system, campaign, (start, now), by)
    return wrong + buyer_checks.experiment_problems(system, campaign, (start, now))
