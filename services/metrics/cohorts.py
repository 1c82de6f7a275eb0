"""`GET /api/v1/campaigns/{id}/cohorts`: who came back, and what they were worth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from schemas.metrics import DIMENSIONS, Kind
from services.common.clock import MINUTE_MS, to_ms
from services.common.columns import Column, Type
from services.common.errors import InvalidRequest
from services.common.paging import PAGING, AnyPage
from services.common.query.buckets import bucket_starts
from services.common.query.cohorts import BY, Age, Cohort, ages, cohorts
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.tabular import TABLE_FORMS, tabular_response
from services.metrics.asking import Asking, CampaignId, Format, Period
from services.metrics.campaigns import KnownCampaign
from services.metrics.params import parse_choice, refuse_unknown
from services.metrics.tables import MOST_ROWS, Table, gross_margin

_AGES = {"1h": 60 * MINUTE_MS, "1d": 1440 * MINUTE_MS, "7d": 7 * 1440 * MINUTE_MS}

_COLUMNS = [
    Column("cohort", Type.TEXT),
    Column("buyers", Type.COUNT),
    Column("new_buyers", Type.COUNT),
    Column("returning_buyers", Type.COUNT),
    Column("repurchasers", Type.COUNT),
    Column("repurchase_rate", Type.RATIO),
    Column("orders_paid", Type.COUNT),
    Column("paid_gmv", Type.MONEY),
    Column("refund_amount", Type.MONEY),
    Column("net_sales", Type.MONEY),
    Column("value_per_buyer", Type.RATIO),
    Column("acquisition_cost", Type.MONEY),
    Column("cac", Type.RATIO),
    Column("value_to_cost", Type.RATIO),
]

_AGE_COLUMNS = [
    Column("cohort", Type.TEXT),
    Column("age", Type.COUNT),
    Column("buyers", Type.COUNT),
    Column("buyers_active", Type.COUNT),
    Column("orders_paid", Type.COUNT),
    Column("paid_gmv", Type.MONEY),
    Column("orders_paid_cumulated_per_buyer", Type.RATIO),
    Column("paid_gmv_cumulated_per_buyer", Type.RATIO),
]


def build_cohorts_router(asking: Asking) -> APIRouter:
    """Buyers by their first order, under `/api/v1/campaigns/{id}`."""
    router = APIRouter(prefix="/api/v1", tags=["money"])

    @router.get(
        "/campaigns/{campaign_id}/cohorts",
        summary="Buyers by their first order: repurchase, value, cost of acquisition",
        responses=TABLE_FORMS,
    )
    async def buyers(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: AnyPage,
        by: Annotated[str | None, Query(description="first_order_day (default) or first_channel")] = None,
        age: Annotated[str | None, Query(description="1h, 1d or 7d: a row per cohort and age in such steps")] = None,
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, "by", "age", *PAGING)
        chosen = parse_choice("by", by, BY, BY[0])
        if age is not None and age not in _AGES:
            raise InvalidRequest("age", f"must be one of {', '.join(_AGES)}")
        campaign, question, completeness = await asking.about(campaign_id, period)
        if age is None:
            table = await cohorts_table(asking, campaign, question, chosen)
        else:
            table = await ages_table(asking, campaign, question, chosen, _AGES[age])
        kinds = ("orders", "spend") if age is None else ("orders",)
        return tabular_response(request, *table, about=completeness.about(question.end_ms, kinds), page=page)

    return router


async def cohorts_table(asking: Asking, campaign: KnownCampaign, question: Question, by: str) -> Table:
    """One row a cohort, in the order of their names."""
    found = await cohorts(asking.pool, question, by, campaign.zone)
    costs = await acquisition_costs(asking.engine, question, by, campaign.zone, [cohort.cohort for cohort in found])
    margin = gross_margin(campaign)
    return _COLUMNS, [
        cohort_row(cohort, None if costs is None else costs.get(cohort.cohort, Decimal(0)), margin) for cohort in found
    ]


def cohort_row(cohort: Cohort, cost: Decimal | None, gross_margin: Decimal) -> dict[str, Any]:
    """The row of a cohort; `cost` is None where spend does not carry a dimension of the filters."""
    net = cohort.paid_gmv - cohort.refund_amount
    return {
        "cohort": cohort.cohort,
        "buyers": cohort.buyers,
        "new_buyers": cohort.new_buyers,
        "returning_buyers": cohort.buyers - cohort.new_buyers,
        "repurchasers": cohort.repurchasers,
        "repurchase_rate": cohort.repurchasers / cohort.buyers,
        "orders_paid": cohort.orders_paid,
        "paid_gmv": cohort.paid_gmv,
        "refund_amount": cohort.refund_amount,
        "net_sales": net,
        "value_per_buyer": float(net / cohort.buyers),
        "acquisition_cost": cost,
        "cac": None if cost is None or not cohort.new_buyers else float(cost / cohort.new_buyers),
        "value_to_cost": float(net * gross_margin / cost) if cost else None,
    }


async def acquisition_costs(
    engine: QueryEngine, question: Question, by: str, zone: ZoneInfo, names: Sequence[str]
) -> dict[str, Decimal] | None:
    """What was spent on ads on each of the days, all day long, or within the period on each of the channels."""
    if any(Kind.SPEND not in DIMENSIONS[name] for name in question.filters):
        return None
    if by == "first_channel":
        found = await engine.measures(replace(question, group_by="channel", buckets=()), ["ad_cost"])
        return {channel: Decimal(row["ad_cost"] or 0) for (_, channel), row in found.items()}
    if not names:
        return {}
    first, last = date.fromisoformat(min(names)), date.fromisoformat(max(names))
    start, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    starts = bucket_starts(start, end, 1440, zone)
    days = replace(question, start_ms=start, end_ms=end, group_by=None, buckets=starts)
    found = await engine.measures(days, ["ad_cost"])
    return {
        datetime.fromtimestamp(at / 1000, zone).date().isoformat(): Decimal(row["ad_cost"] or 0)
        for (at, _), row in found.items()
    }


def midnight(day: date, zone: ZoneInfo) -> int:
    """When a day begins on the zone's clock, in epoch ms."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))


async def ages_table(asking: Asking, campaign: KnownCampaign, question: Question, by: str, step_ms: int) -> Table:
    """One row a cohort and age, from 0 to the last age at which one of its buyers paid."""
    whole, parts = await asyncio.gather(
        cohorts(asking.pool, question, by, campaign.zone), ages(asking.pool, question, by, campaign.zone, step_ms)
    )
    return _AGE_COLUMNS, age_rows({cohort.cohort: cohort.buyers for cohort in whole}, parts)


def age_rows(buyers: dict[str, int], parts: Sequence[Age]) -> list[dict[str, Any]]:
    """Rows for every age up to the last with a payment, with the sums so far; `parts` are in the order of cohort and
    age. A cohort that `buyers` lacks (it came up between two readings) is left to the next answer."""
    rows: list[dict[str, Any]] = []
    for cohort, group in groupby(parts, key=lambda part: part.cohort):
        by_age = {part.age: part for part in group}
        if cohort not in buyers:
            continue
        if len(rows) + max(by_age) >= MOST_ROWS:
            raise InvalidRequest("age", f"gives more than {MOST_ROWS} rows; take a longer one or a shorter period")
        orders, gmv = 0, Decimal(0)
        for age in range(max(by_age) + 1):
            part = by_age.get(age, Age(cohort, age, 0, 0, Decimal(0)))
            orders += part.orders_paid
            gmv += part.paid_gmv
            rows.append(
                {
                    "cohort": cohort,
                    "age": age,
                    "buyers": buyers[cohort],
                    "buyers_active": part.buyers_active,
                    "orders_paid": part.orders_paid,
                    "paid_gmv": part.paid_gmv,
                    "orders_paid_cumulated_per_buyer": orders / buyers[cohort],
                    "paid_gmv_cumulated_per_buyer": float(gmv / buyers[cohort]),
                }
            )
    return rows
