"""The tabular answers: series, breakdown, funnel, inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.metrics import METRICS, Unit
from services.common.errors import InvalidRequest
from services.common.query.buckets import bucket_starts, count_buckets
from services.common.query.completeness import Completeness
from services.common.query.engine import QueryEngine
from services.common.query.folds import FoldCuts
from services.common.query.funnel import funnel
from services.common.query.question import UNKNOWN, Question
from services.common.query.stock import stock
from services.common.query.stock_spend import ad_cost_last_hour
from services.common.store import StorePool
from services.common.tabular import Column, Type
from services.metrics.campaigns import KnownCampaign

Table = tuple[list[Column], list[dict[str, Any]]]

MOST_ROWS = 200_000
"""A series of more rows is refused: nobody can read it, and it would starve the others."""

FUNNEL_KINDS = ("traffic", "orders")
"""The kinds of events behind the funnel."""

INVENTORY_KINDS = ("inventory", "orders")
"""The kinds of events behind stock: its levels, and what is sold of it."""

STOCK_SPEND_KINDS = ("traffic", "spend")
"""The kinds of events behind what is spent on an item: whose views, and what ads cost."""

_TYPES = {
    Unit.COUNT: Type.COUNT,
    Unit.MONEY: Type.MONEY,
    Unit.RATIO: Type.RATIO,
    Unit.MONEY_RATIO: Type.RATIO,
}


def metric_type(name: str) -> Type:
    """The column type of a metric."""
    return _TYPES[METRICS[name].unit]


def metric_columns(names: Iterable[str]) -> list[Column]:
    """The columns of metrics under their own names."""
    return [Column(name, metric_type(name)) for name in names]


def gross_margin(campaign: KnownCampaign) -> Decimal:
    """The share of net sales that is gross profit, 1 unless declared."""
    return campaign.declared.gross_margin if campaign.declared is not None else Decimal(1)


async def series_table(
    engine: QueryEngine,
    campaign: KnownCampaign,
    question: Question,
    names: tuple[str, ...],
    minutes: int,
    completeness: Completeness,
) -> Table:
    """One row a span (and value of the grouping), empty spans included.

    In an empty span a metric is zero when every event behind it is known to be in, and null while one may still come.
    """
    if count_buckets(question.start_ms, question.end_ms, minutes) > MOST_ROWS:
        raise InvalidRequest("interval", f"gives more than {MOST_ROWS} rows; take a longer one or a shorter period")
    starts = bucket_starts(question.start_ms, question.end_ms, minutes, campaign.zone)
    asked = replace(question, buckets=starts)
    answer = await engine.metrics(asked, names, gross_margin(campaign))
    values = sorted({value for _, value in answer.rows}) if question.group_by else [""]
    if len(starts) * len(values) > MOST_ROWS:
        raise InvalidRequest("group_by", f"gives more than {MOST_ROWS} rows; take a longer interval or filter")
    kinds = {name: METRICS[name].kinds for name in names}
    rows = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else question.end_ms
        empty = {name: answer.empty[name] if completeness.covers(end, kinds[name]) else None for name in names}
        time = campaign.local(start)
        for value in values:
            row: dict[str, Any] = {"time": time}
            if question.group_by:
                row[question.group_by] = value
            rows.append(row | (answer.rows.get((start, value)) or empty))
    columns = [Column("time", Type.TIME)]
    if question.group_by:
        columns.append(Column(question.group_by, Type.TEXT))
    return columns + metric_columns(names), rows


async def breakdown_table(
    engine: QueryEngine,
    campaign: KnownCampaign,
    question: Question,
    names: tuple[str, ...],
    *,
    order_by: str,
    descending: bool,
    limit: int | None,
) -> Table:
    """One row a value of the dimension, ordered; nulls come last, and equals follow the value's name."""
    assert question.group_by is not None
    dimension = question.group_by
    answer = await engine.metrics(question, names, gross_margin(campaign))
    rows: list[dict[str, Any]] = [{dimension: value, **found} for (_, value), found in answer.rows.items()]
    return [Column(dimension, Type.TEXT), *metric_columns(names)], ordered(
        rows, order_by, descending=descending, tie=dimension
    )[:limit]


def ordered(rows: Sequence[Mapping[str, Any]], column: str, *, descending: bool, tie: str) -> list[dict[str, Any]]:
    """Rows by a column, nulls last in either direction, equals by the text of `tie`."""
    known = sorted((dict(row) for row in rows if row[column] is not None), key=lambda row: str(row[tie]))
    known.sort(key=lambda row: row[column], reverse=descending)
    return known + sorted((dict(row) for row in rows if row[column] is None), key=lambda row: str(row[tie]))


async def funnel_table(pool: StorePool, question: Question, cuts: FoldCuts) -> Table:
    """One row a step, for each value of the grouping."""
    found = await funnel(pool, question, cuts)
    columns = [
        Column("step", Type.TEXT),
        Column("users", Type.COUNT),
        Column("step_conversion", Type.RATIO),
        Column("overall_conversion", Type.RATIO),
        Column("lost", Type.COUNT),
        Column("median_seconds", Type.RATIO),
    ]
    if question.group_by:
        columns.insert(0, Column(question.group_by, Type.TEXT))
    largest_first = sorted(found, key=lambda value: (-(found[value][0].users or 0), value == UNKNOWN, value))
    rows = []
    for value in largest_first:
        for step in found[value]:
            row: dict[str, Any] = {question.group_by: value} if question.group_by else {}
            rows.append(
                row
                | {
                    "step": step.step,
                    "users": step.users,
                    "step_conversion": step.step_conversion,
                    "overall_conversion": step.overall_conversion,
                    "lost": step.lost,
                    "median_seconds": step.median_seconds,
                }
            )
    return columns, rows


async def inventory_table(
    pool: StorePool,
    engine: QueryEngine,
    campaign: KnownCampaign,
    question: Question,
    *,
    now_ms: int,
    limit: int | None,
    also: Collection[str] = (),
    until_ms: int = 0,
    with_spend: bool = False,
) -> Table:
    """One row an item, those that run out soonest first; beyond `limit` of them only the items named in `also`.

    `until_ms` as in `stock`. `with_spend` estimates what is spent on each, from events.
    """
    columns = [
        Column("item_id", Type.TEXT),
        Column("item_category", Type.TEXT),
        Column("available", Type.COUNT),
        Column("safety_stock", Type.COUNT),
        Column("sell_rate_per_minute", Type.RATIO),
        Column("stockout_eta", Type.TIME),
        Column("sell_rate_low", Type.RATIO),
        Column("sell_rate_high", Type.RATIO),
        Column("stockout_earliest", Type.TIME),
        Column("stockout_latest", Type.TIME),
        Column("at_risk", Type.FLAG),
    ]

    def local(ms: int | None) -> datetime | None:
        return None if ms is None else campaign.local(ms)

    rows: list[dict[str, Any]] = [
        {
            "item_id": item.item_id,
            "item_category": item.item_category,
            "available": item.available,
            "safety_stock": item.safety_stock,
            "sell_rate_per_minute": item.sell_rate_per_minute,
            "stockout_eta": local(item.stockout_eta_ms),
            "sell_rate_low": item.sell_rate_low,
            "sell_rate_high": item.sell_rate_high,
            "stockout_earliest": local(item.stockout_earliest_ms),
            "stockout_latest": local(item.stockout_latest_ms),
            "at_risk": item.at_risk,
        }
        for number, item in enumerate(await stock(pool, engine, question, now_ms, until_ms))
        if limit is None or number < limit or item.item_id in also
    ]
    if with_spend:
        columns.append(Column("ad_cost_last_hour", Type.MONEY))
        spent = await ad_cost_last_hour(pool, engine, question, now_ms)
        for row in rows:
            row["ad_cost_last_hour"] = None if spent is None else spent.get(row["item_id"], Decimal(0))
    return columns, rows
