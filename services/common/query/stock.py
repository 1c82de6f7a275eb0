"""Stock: the last level of each item, how fast it sells, and when it runs out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.common.clock import MINUTE_MS
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.statistics import poisson_interval
from services.common.store import StorePool

SELL_RATE_MINUTES = 15
"""The sell rate is that of the last quarter of an hour, or of the campaign's life when that is shorter."""

AT_RISK_MINUTES = 60
"""An item that runs out within this time is at risk."""

_LEVELS = """
SELECT
    item_id,
    sum(level.1) AS available,
    sum(greatest(level.2, 0)) AS safety_stock,
    max(level.2) >= 0 AS has_safety_stock,
    max(level.3) AS item_category
FROM
(
    SELECT item_id, warehouse_id, argMaxMerge(levels.level) AS level
    FROM
    (
        SELECT item_id, warehouse_id, level
        FROM stock_by_minute
        WHERE campaign_id = {campaign_id:String} AND minute < toDateTime({end:UInt32}, 'UTC')
        UNION ALL
        SELECT
            item_id,
            warehouse_id,
            argMaxState(
                (available, safety_stock, toString(item_category)),
                (event_time, stock_events.arrived_at, kafka_offset)
            ) AS level
        FROM stock_events
        WHERE
            campaign_id = {campaign_id:String}
            AND event_time >= toDateTime({end:UInt32}, 'UTC')
            AND event_time < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        GROUP BY item_id, warehouse_id
    ) AS levels
    GROUP BY item_id, warehouse_id
)
GROUP BY item_id
"""


@dataclass(frozen=True, slots=True)
class StockRow:
    """`available` pieces over all warehouses; pieces paid per minute; when they run out, in epoch ms, if ever.

    `sell_rate_low` and `sell_rate_high` bound the rate with 90 % confidence if sales are a Poisson process, and so do
    `stockout_earliest_ms` and `stockout_latest_ms` the moment.
    """

    item_id: str
    item_category: str
    available: int
    safety_stock: int | None
    sell_rate_per_minute: float | None
    stockout_eta_ms: int | None
    sell_rate_low: float | None
    sell_rate_high: float | None
    stockout_earliest_ms: int | None
    stockout_latest_ms: int | None
    at_risk: bool
    """It runs out within `AT_RISK_MINUTES`, or has run out."""


async def stock(
    pool: StorePool, engine: QueryEngine, question: Question, now_ms: int, until_ms: int = 0
) -> list[StockRow]:
    """The stock of every item as of the end of the period (or now, if that is sooner), those at risk first.

    `until_ms`, within the minute behind that end, is the moment whose levels are told; the sell rate is that of whole
    minutes. Filters by item and category choose the items; any other filter narrows whose purchases count for the
    sell rate.
    """
    end_ms = question.end_ms
    reference = min(end_ms, now_ms)
    first = max(question.start_ms, reference - SELL_RATE_MINUTES * MINUTE_MS)
    first -= first % MINUTE_MS
    minutes = max((reference - first) / MINUTE_MS, 1.0)
    sold = await engine.measures(
        replace(question, start_ms=first, end_ms=end_ms, group_by="item_id", buckets=()), ["paid_units"]
    )
    rows = await pool.query(
        _LEVELS, {"campaign_id": question.campaign_id, "end": end_ms // 1000, "until": max(end_ms, until_ms)}
    )
    reference = max(reference, until_ms)
    units = {value: row["paid_units"] for (_, value), row in sold.items()}
    sellable = "device_category" not in question.filters
    result = []
    for row in rows:
        if any(row[name] not in question.filters.get(name, (row[name],)) for name in ("item_id", "item_category")):
            continue
        pieces = int(units.get(row["item_id"]) or 0)
        rate = pieces / minutes if sellable else None
        range_ = poisson_interval(pieces)
        low, high = (range_.low / minutes, range_.high / minutes) if sellable else (None, None)
        available = int(row["available"])
        eta = _eta(available, rate, reference)
        result.append(
            StockRow(
                item_id=row["item_id"],
                item_category=row["item_category"],
                available=available,
                safety_stock=int(row["safety_stock"]) if row["has_safety_stock"] else None,
                sell_rate_per_minute=rate,
                stockout_eta_ms=eta,
                sell_rate_low=low,
                sell_rate_high=high,
                stockout_earliest_ms=_eta(available, high, reference),
                stockout_latest_ms=_eta(available, low, reference),
                at_risk=eta is not None and eta <= reference + AT_RISK_MINUTES * MINUTE_MS,
            )
        )
    result.sort(
        key=lambda item: (item.stockout_eta_ms is None, item.stockout_eta_ms or 0, item.available, item.item_id)
    )
    return result


def _eta(available: int, rate: float | None, reference_ms: int) -> int | None:
    if available == 0:
        return reference_ms
    if not rate:
        return None
    minutes = available / rate
    # Beyond a year nobody plans by it, and dates run out of range.
    return reference_ms + round(minutes * MINUTE_MS) if minutes < 525_600 else None
