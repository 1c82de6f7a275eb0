"""The ladder and the credited orders over HTTP held against DuckDB; each check returns what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.festivals.checks import floor, keyed
from tests.festivals.compare import same
from tests.festivals.duck_attribution import attribution
from tests.festivals.duck_metrics import Filters
from tests.festivals.duck_money import ladder
from tests.festivals.system import System

_MONEY: Final = {"paid_gmv", "refund_amount", "net_sales", "ad_cost", "coupon_cost", "cost", "burn_rate_per_hour"}
_COLUMNS: Final = (
    "orders_paid", "paid_gmv", "refund_amount", "net_sales", "buyers", "new_buyers", "ad_cost", "coupon_cost", "cost",
    "impressions", "clicks", "roas", "roi", "cac", "cpa", "cpc", "ctr",
)  # fmt: skip
_OF_CHANNELS: Final = ("budget", "budget_used", "burn_rate_per_hour", "budget_exhausted_at", "marginal_roas")


def ladder_problems(
    system: System, campaign: str, period: tuple[datetime, datetime], filters: Filters | None = None
) -> list[str]:
    """Every rung: amount, orders and share."""
    filters = filters or {}
    answer = system.get("/ladder", campaign=campaign, from_=period[0], to=period[1], **filters)
    rows = keyed(answer["rows"], "rung")
    expected = ladder(system.duck, campaign, *period, filters)
    wrong = [] if [row["rung"] for row in answer["rows"]] == list(expected) else ["not the rungs"]
    return wrong + [
        f"{campaign} {filters} {rung} {name}: answered {rows[rung,][name]}, expected {value}"
        for rung, wanted in expected.items()
        for name, value in wanted.items()
        if not same(name, rows[rung,][name], value, money=name == "amount")
    ]


def attribution_problems(
    system: System,
    campaign: str,
    period: tuple[datetime, datetime],
    model: str,
    by: str,
    lookback: tuple[timedelta, str | None] = (timedelta(days=7), None),
) -> list[str]:
    """Every row in its order with every column."""
    answer = system.get(
        "/attribution", campaign=campaign, model=model, by=by, lookback=lookback[1], from_=period[0], to=period[1]
    )
    expected = attribution(
        system.duck, campaign, floor(period[0]), floor(period[1]), system.now(campaign), model, by, lookback[0]
    )
    said, wanted = [row[by] for row in answer["rows"]], [row["credit"] for row in expected]
    if said != wanted:
        return [f"{campaign} {model} {by} {lookback[1]}: rows {said}, expected {wanted}"]
    return [
        f"{campaign} {model} {by} {lookback[1]} {row[by]} {name}: answered {row[name]}, expected {values[name]}"
        for row, values in zip(answer["rows"], expected, strict=True)
        for name in _COLUMNS + (_OF_CHANNELS if by == "channel" else ())
        if not _fits(name, row[name], values[name])
    ]


def _fits(name: str, said: Any, expected: Any) -> bool:
    if name == "budget":
        return (said is None) == (expected is None) and (said is None or Decimal(said) == Decimal(expected))
    if isinstance(expected, datetime) and isinstance(said, str):
        return abs(datetime.fromisoformat(said) - expected) <= timedelta(seconds=1)
    return same(name, said, expected, money=name in _MONEY)
