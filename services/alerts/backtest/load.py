"""Reads a period into memory: by second what the pulse holds, by minute what the rollups hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from schemas.campaigns import Campaign
from schemas.metrics import Kind
from services.alerts import queries
from services.alerts.activity import ALL_ACTIVITY
from services.alerts.backtest import queries as period
from services.alerts.memory.past import Past, Sales, Stream, running
from services.alerts.plan import Plan, plan_of
from services.alerts.readings.seconds import Seconds, read_seconds
from services.alerts.readings.sql import DIMENSIONS, SUMS, panel_rows
from services.alerts.scene import Refund
from services.alerts.series import Counts
from services.alerts.shelf import ShelfRow
from services.common.store import StorePool

LEAD_SECONDS = 2 * 3600
"""So much before the period is read: the hour of history, and windows of an hour."""
_STOCK_STEP = 5


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds since the epoch, on minutes: [begin, end) is read, of which [start, end) is judged."""

    begin: int
    start: int
    end: int

    @property
    def bounds(self) -> dict[str, int]:
        return {"from": self.begin, "to": self.end}


async def active_campaigns(pool: StorePool, span: Span) -> list[str]:
    """Campaigns with events in the period. Raises `StoreError`."""
    rows = await pool.query(period.ACTIVE, {"from": span.start * 1000, "to": span.end * 1000})
    return [row["campaign_id"] for row in rows]


async def read_plans(pool: StorePool) -> dict[str, Plan]:
    """The plans as they are declared today; what was declared before is not kept. Raises `StoreError`."""
    rows = await pool.query(queries.CAMPAIGNS)
    plans = {row["campaign_id"]: plan_of(Campaign.model_validate_json(row["declared"])) for row in rows}
    first: dict[str, int] = {}
    for row in await pool.query(ALL_ACTIVITY):
        first[row["campaign_id"]] = min(row["first_event"], first.get(row["campaign_id"], row["first_event"]))
    starts = {**first, **{name: plan.start_ms for name, plan in plans.items()}}
    return {
        name: replace(plan, baseline_start_ms=starts.get(plan.baseline_campaign_id or ""))
        for name, plan in plans.items()
    }


async def read_pasts(
    pool: StorePool,
    span: Span,
    plans: Mapping[str, Plan | None],
    dimensions: Collection[str],
    payments: Collection[Seconds] = (),
) -> list[Past]:
    """A past for each of the campaigns, with totals by these dimensions ('' is the whole) and these payments.

    Raises `StoreError`.
    """
    pasts = {
        campaign: Past(
            campaign,
            span.begin,
            span.end - span.begin,
            plan,
            orders=_zeros(span),
            step=60,
            by_dimension=True,
        )
        for campaign, plan in plans.items()
    }
    ids = {"ids": sorted(pasts)}
    for rows in _by_campaign(await _table(pool, queries.PULSE, {**ids, **span.bounds})):
        _pulse(pasts[rows[0]["campaign_id"]], rows, span)
    for kind, table in period.COUNTED.items():
        sql = period.COUNTS.format(table=table)
        for rows in _by_campaign(await _table(pool, sql, {**ids, **span.bounds})):
            counts = pasts[rows[0]["campaign_id"]].kinds.setdefault(kind, _zeros(span))
            for row in rows:
                counts[row["second"] - span.begin] += row["events"]
    await _by_time(pool, span, pasts)
    for campaign, past in pasts.items():
        past.sales = await _sales(pool, span, campaign)
    for ask in payments:
        whole = await read_seconds(pool, span.end * 1000 - 1, ask, sorted(pasts), span.end - span.begin)
        for campaign, reading in whole.items():
            pasts[campaign].payments = {**pasts[campaign].payments, ask: reading.rows}
    streams = await _streams(pool, span, sorted(pasts), dimensions)
    for campaign, past in pasts.items():
        past.streams = streams.get(campaign, [])
    return list(pasts.values())


async def _by_time(pool: StorePool, span: Span, pasts: Mapping[str, Past]) -> None:
    """Refunds, stock levels, and how many items had orders."""
    ids = {"ids": sorted(pasts)}
    found: dict[str, list[Refund]] = {campaign: [] for campaign in pasts}
    milliseconds = {"from": span.begin * 1000, "to": span.end * 1000}
    for row in await _table(pool, queries.REFUNDS_RECENT, {**ids, **milliseconds}):
        found[row["campaign_id"]].append(Refund(row["second"], row["channel"], tuple(row["items"]), row["refunds"]))
    for campaign, refunds in found.items():
        pasts[campaign].refunds = sorted(refunds)
    items: dict[str, dict[int, int]] = {campaign: {} for campaign in pasts}
    for row in await pool.query(period.ITEMS, {**ids, **span.bounds}):
        items[row["campaign_id"]][row["hour"]] = row["items"]
    for campaign, by_hour in items.items():
        pasts[campaign].items = by_hour
    stock: dict[str, list[tuple[int, ShelfRow]]] = {campaign: [] for campaign in pasts}
    for row in await _table(pool, period.STOCK, {**ids, **span.bounds, "step": _STOCK_STEP}):
        stock[row["campaign_id"]].append((row["second"], _shelf_row(row)))
    for campaign, levels in stock.items():
        pasts[campaign].stock = levels


async def read_refused(pool: StorePool, span: Span) -> dict[str, Counts]:
    """Dead letters by topic and second of [begin, end), by arrival. Raises `StoreError`."""
    found: dict[str, Counts] = {}
    for row in await pool.query(period.REFUSED, span.bounds):
        found.setdefault(row["topic"], _zeros(span))[row["second"] - span.begin] += row["records"]
    return found


def _pulse(past: Past, rows: Sequence[Mapping[str, Any]], span: Span) -> None:
    traffic_of_all = past.kinds.setdefault("traffic", _zeros(span))
    for row in rows:
        place = row["bucket"] - span.begin
        past.orders[place] += row["orders"]
        traffic_of_all[place] += row["traffic"]
        for channels, name in ((past.traffic, "traffic"), (past.paid, "paid")):
            if row[name]:
                counts = channels.get(row["channel"])
                if counts is None:
                    counts = channels[row["channel"]] = _zeros(span)
                counts[place] += row[name]


async def _sales(pool: StorePool, span: Span, campaign: str) -> Sales:
    # There are as many rows as items sell in minutes: they stay columns.
    table = (await pool.query_arrow(period.SOLD, {"id": campaign, **span.bounds})).combine_chunks()
    if table.num_rows == 0:
        return Sales()
    items, places = np.unique(table["item_id"].to_numpy(), return_inverse=True)
    columns = (table[name].to_numpy().astype(np.int64) for name in ("second", "units", "amount", "orders"))
    seconds, units, amounts, orders = columns
    return Sales(items.tolist(), seconds, places.astype(np.int64), units, amounts, orders)


async def _streams(
    pool: StorePool, span: Span, campaigns: Sequence[str], dimensions: Collection[str]
) -> dict[str, list[Stream]]:
    minutes = (span.end - span.begin) // 60
    found: dict[str, list[Stream]] = {}
    for kind in Kind:
        carried = sorted(DIMENSIONS[kind] & set(dimensions))
        bounds = {"ids": campaigns, "dimensions": carried, "from": span.begin, "until": span.end}
        sums: dict[tuple[str, str, str], dict[str, Counts]] = {}
        for row in await _table(pool, panel_rows(kind), bounds):
            key = (row["campaign_id"], row["dimension"], row["value"])
            arrays = sums.setdefault(key, {})
            for name in SUMS[kind]:
                number = row[f"{name}_sum"]
                if number:
                    array = arrays.get(name)
                    if array is None:
                        array = arrays[name] = np.zeros(minutes, dtype=np.int64)
                    array[row["minute_number"] - span.begin // 60] += number
        for (campaign, dimension, value), arrays in sums.items():
            labels = {dimension: value} if dimension else {}
            totals = {name: running(array) for name, array in arrays.items()}
            found.setdefault(campaign, []).append(Stream(kind, labels, totals))
    return found


async def _table(pool: StorePool, sql: str, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows: list[dict[str, Any]] = (await pool.query_arrow(sql, parameters)).to_pylist()
    return rows


def _by_campaign(rows: Iterable[Mapping[str, Any]]) -> Iterable[Sequence[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["campaign_id"], []).append(row)
    return found.values()


def _shelf_row(row: Mapping[str, Any]) -> ShelfRow:
    return ShelfRow(
        row["campaign_id"],
        row["item_id"],
        row["warehouse_id"],
        row["second"] // 60 * 60,
        row["level"],
        row["safety"] if row["safety"] >= 0 else None,
    )


def _zeros(span: Span) -> Counts:
    return np.zeros(span.end - span.begin, dtype=np.int64)
