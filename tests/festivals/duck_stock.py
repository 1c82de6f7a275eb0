"""Stock in DuckDB's SQL: levels, the rate at which they sell, when they are gone, and what is spent on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from scipy.stats import chi2

from tests.festivals.duck_events import Duck

WINDOW: Final = timedelta(minutes=15)
"""The sell rate is that of the last quarter of an hour, from a whole minute on, within the period asked for."""


def stock(duck: Duck, campaign: str, start: datetime, end: datetime, now: datetime) -> dict[str, dict[str, Any]]:
    """What is said of each item that has a level before `end`."""
    levels = duck.query(
        """
        WITH latest AS (
            SELECT item_id, warehouse, arg_max(available, happened) AS available FROM inventory
            WHERE campaign = $campaign AND happened < $end::TIMESTAMPTZ GROUP BY ALL
        )
        SELECT item_id, sum(available)::BIGINT AS available FROM latest GROUP BY item_id
        """,
        campaign=campaign,
        end=end,
    )
    until = min(end, now)
    since = max(start, (until - WINDOW).replace(second=0, microsecond=0))
    sold = _sums(
        duck,
        "SELECT item_id AS key, sum(quantity)::BIGINT AS n FROM lines WHERE name = 'order_paid'"
        " AND campaign = $campaign AND happened >= $since::TIMESTAMPTZ AND happened < $end::TIMESTAMPTZ GROUP BY ALL",
        campaign=campaign, since=since, end=end,
    )  # fmt: skip
    minutes = (until - since) / timedelta(minutes=1)
    hour = until.replace(second=0, microsecond=0)
    spent = _advertised(duck, campaign, hour - timedelta(hours=1), hour)
    found = {}
    for row in levels:
        units = sold.get(row["item_id"], 0)
        rate = units / minutes
        high = chi2.ppf(0.95, 2 * units + 2) / 2 / minutes
        low = chi2.ppf(0.05, 2 * units) / 2 / minutes if units else 0.0
        available = row["available"]
        found[row["item_id"]] = {
            "available": available,
            "sell_rate_per_minute": rate,
            "stockout_eta": _gone(until, available, rate),
            "sell_rate_low": low,
            "sell_rate_high": high,
            "stockout_earliest": _gone(until, available, high),
            "stockout_latest": _gone(until, available, low),
            "ad_cost_last_hour": spent.get(row["item_id"], 0.0),
            "at_risk": (gone := _gone(until, available, rate)) is not None and gone <= until + timedelta(hours=1),
        }
    return found


def _advertised(duck: Duck, campaign: str, since: datetime, until: datetime) -> dict[str, float]:
    """What was spent on each item in an hour: of each channel's cost the item's share of its views."""
    return _sums(
        duck,
        """
        WITH cost AS (
            SELECT channel, sum(amount) AS cost FROM spend
            WHERE campaign = $campaign AND happened >= $since::TIMESTAMPTZ AND happened < $until::TIMESTAMPTZ
            GROUP BY channel
        ),
        views AS (
            SELECT channel, item_id, count(*) AS n FROM traffic
            WHERE campaign = $campaign AND name = 'view_item'
                AND happened >= $since::TIMESTAMPTZ AND happened < $until::TIMESTAMPTZ
            GROUP BY ALL
        ),
        shares AS (SELECT *, n / sum(n) OVER (PARTITION BY channel) AS share FROM views)
        SELECT item_id AS key, sum(cost * share)::DOUBLE AS n FROM shares JOIN cost USING (channel) GROUP BY item_id
        """,
        campaign=campaign,
        since=since,
        until=until,
    )


def _sums(duck: Duck, sql: str, **parameters: Any) -> dict[str, Any]:
    return {row["key"]: row["n"] for row in duck.query(sql, **parameters)}


def _gone(until: datetime, available: int, rate: float) -> datetime | None:
    if available == 0:
        return until
    # What takes more than a year is not foreseen.
    return until + timedelta(minutes=available / rate) if available < rate * 365 * 1440 else None
