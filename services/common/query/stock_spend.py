"""What is being spent on ads for each item: an estimate, because spend is booked by channel and not by item."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from schemas.metrics import DIMENSIONS, Kind
from services.common.clock import MINUTE_MS, floor_minute
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.query.sql import dimension_conditions, phase_condition
from services.common.store import StorePool

HOUR_MS = 60 * MINUTE_MS


async def ad_cost_last_hour(
    pool: StorePool, engine: QueryEngine, question: Question, now_ms: int
) -> dict[str, Decimal] | None:
    """By item: each channel's ad spend of the last hour, split by whose `view_item` events the channel had in it.

    The hour is the 60 whole minutes before the end of the period (or now, if that is sooner). An item without views is
    absent. What went to a channel without views, or to views of no item, belongs to no item. Filters by item leave out
    nothing here: they choose rows, not shares. None when a filter names a dimension that traffic or spend lacks.
    """
    at_ms = floor_minute(min(question.end_ms, now_ms))
    filters = {name: values for name, values in question.filters.items() if name not in ("item_id", "item_category")}
    if any(kind not in DIMENSIONS[name] for name in filters for kind in (Kind.TRAFFIC, Kind.SPEND)):
        return None
    hour = replace(
        question,
        start_ms=max(0, at_ms - HOUR_MS),
        end_ms=at_ms,
        filters=filters,
        group_by="channel",
        buckets=(),
    )
    spent, views = await asyncio.gather(engine.measures(hour, ["ad_cost"]), _views(pool, hour))
    costs = {channel: Decimal(row["ad_cost"] or 0) for (_, channel), row in spent.items()}
    return shares(costs, views)


def shares(costs: dict[str, Decimal], views: list[tuple[str, str, int]]) -> dict[str, Decimal]:
    """Each item's part of the channels' costs, from (channel, item, number of views)."""
    of_channel: dict[str, int] = defaultdict(int)
    for channel, _, number in views:
        of_channel[channel] += number
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for channel, item, number in sorted(views):
        if channel in costs:
            parts[item] += costs[channel] * number / of_channel[channel]
    return dict(parts)


async def _views(pool: StorePool, question: Question) -> list[tuple[str, str, int]]:
    parameters: dict[str, object] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    conditions = [
        "campaign_id = {campaign_id:String}",
        "event_time >= toDateTime({start:UInt32}, 'UTC')",
        "event_time < toDateTime({end:UInt32}, 'UTC')",
        "event_name = 'view_item'",
        *dimension_conditions(question, parameters),
        *phase_condition(question, parameters, "e.event_time"),
    ]
    rows = await pool.query(
        "SELECT toString(channel) AS channel_name, item_id, count() AS views FROM traffic_events AS e "
        f"WHERE {' AND '.join(conditions)} GROUP BY channel_name, item_id",
        parameters,
    )
    return [(row["channel_name"], row["item_id"], int(row["views"])) for row in rows]
