"""Payments by the second: what the last two minutes of orders say, for rules that cannot wait for a minute to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.alerts.readings.asks import Filters
from services.alerts.series import Counts
from services.common.errors import ConfigurationError
from services.common.store import StorePool

SECONDS = 120

_DIMENSIONS = frozenset({"channel", "region", "utm_source", "customer_type", "store_id"})


@dataclass(frozen=True, slots=True)
class Seconds:
    """Payments of the last two minutes by second, for each value of `by`; without it of the whole, named ''.

    Raises `ConfigurationError` for a dimension that a payment has not one value of.
    """

    by: str | None = None
    filters: Filters = ()

    def __post_init__(self) -> None:
        for name in (*([self.by] if self.by else []), *(name for name, _ in self.filters)):
            if name not in _DIMENSIONS:
                raise ConfigurationError(f"{name!r}: payments are known by {', '.join(sorted(_DIMENSIONS))}")


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments of one value by second; both arrays are as long as the reading's."""

    failed: Counts
    paid: Counts


@dataclass(frozen=True, slots=True)
class SecondsReading:
    """`rows[value]` from `start` on, in seconds since the epoch; the last second is the current one, so far."""

    rows: Mapping[str, Payments]
    start: int
    seconds: int = SECONDS


def _sql(ask: Seconds) -> str:
    value = f"toString(order_events.{ask.by})" if ask.by else "''"
    kept = "".join(f"\n        AND order_events.{name} IN {{keep_{name}:Array(String)}}" for name, _ in ask.filters)
    return f"""
SELECT
    campaign_id,
    value_of,
    intDiv(toUnixTimestamp64Milli(tried_at), 1000) AS second,
    countIf(outcome = 'payment_failed') AS failed,
    countIf(outcome = 'order_paid') AS paid
FROM
(
    -- Whoever tries one card five times is one customer: of each order the first failure counts.
    SELECT
        toString(order_events.campaign_id) AS campaign_id,
        {value} AS value_of,
        toString(event_name) AS outcome,
        min(event_time) AS tried_at
    FROM order_events
    WHERE order_events.campaign_id IN {{ids:Array(String)}}
        AND event_time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')
        AND event_time < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC')
        AND event_name IN ('payment_failed', 'order_paid'){kept}
    GROUP BY campaign_id, value_of, outcome, order_id
)
GROUP BY campaign_id, value_of, second
"""


async def read_seconds(
    pool: StorePool, now: int, ask: Seconds, campaigns: list[str], seconds: int = SECONDS
) -> dict[str, SecondsReading]:
    """By campaign, so many seconds up to `now` (epoch ms). Raises `StoreError`."""
    end = now // 1000 + 1
    start = end - seconds
    parameters: dict[str, object] = {"ids": campaigns, "from": start * 1000, "to": end * 1000}
    parameters |= {f"keep_{name}": list(values) for name, values in ask.filters}
    rows: dict[str, dict[str, Payments]] = {campaign: {} for campaign in campaigns}
    for row in await pool.query(_sql(ask), parameters):
        found = rows[row["campaign_id"]]
        payments = found.get(row["value_of"])
        if payments is None:
            payments = found[row["value_of"]] = Payments(np.zeros(seconds, np.int64), np.zeros(seconds, np.int64))
        payments.failed[row["second"] - start] += row["failed"]
        payments.paid[row["second"] - start] += row["paid"]
    return {campaign: SecondsReading(found, start, seconds) for campaign, found in rows.items()}
