"""`GET /api/v1/campaigns/{id}/attribution`: what each channel or mark was credited with, and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from schemas.metrics import MEASURES, Value, compute
from services.common.clock import MINUTE_MS, floor_minute, to_ms
from services.common.errors import InvalidRequest
from services.common.paging import PAGING, AnyPage
from services.common.query.attribution import BY, MODELS, Credit, Credited, attribute
from services.common.query.budgets import used_up
from services.common.query.engine import QueryEngine, no_measures
from services.common.query.question import Question
from services.common.tabular import TABLE_FORMS, Column, Type, tabular_response
from services.metrics.asking import Asking, CampaignId, Format, Span
from services.metrics.campaigns import KnownCampaign
from services.metrics.params import parse_choice, parse_duration, refuse_others
from services.metrics.tables import Table, gross_margin, metric_columns

LOOKBACK_MS = 7 * 1440 * MINUTE_MS
MOST_LOOKBACK_DAYS = 90
HOUR_MS = 60 * MINUTE_MS

_METRICS = (
    "orders_paid",
    "paid_gmv",
    "refund_amount",
    "net_sales",
    "buyers",
    "new_buyers",
    "ad_cost",
    "coupon_cost",
    "cost",
    "impressions",
    "clicks",
    "roas",
    "roi",
    "cac",
    "cpa",
    "cpc",
    "ctr",
)

_COSTS = ("ad_cost", "coupon_cost", "impressions", "clicks")

_BUDGET = [
    Column("budget", Type.MONEY),
    Column("budget_used", Type.RATIO),
    Column("burn_rate_per_hour", Type.MONEY),
    Column("budget_exhausted_at", Type.TIME),
    Column("marginal_roas", Type.RATIO),
]


@dataclass(frozen=True, slots=True)
class Burn:
    """A channel's money: its budget if one is declared, what was spent of it so far, and within the last hour.

    `used_up_ms` is when the budget was used up, if it is.
    """

    budget: Decimal | None
    spent: Decimal
    last_hour: Decimal
    used_up_ms: int | None = None

    def used(self) -> float | None:
        """The share of the budget that is spent."""
        return float(self.spent / self.budget) if self.budget else None

    def exhausted_ms(self, at_ms: int, end_ms: int | None) -> int | None:
        """When the budget is used up: when it was, or else at the rate of the last hour, seen from `at_ms`.

        None without a budget, and when that is not before the campaign's end.
        """
        moment = self.used_up_ms
        if moment is None and self.budget is not None and self.budget > self.spent and self.last_hour:
            moment = at_ms + int((self.budget - self.spent) / self.last_hour * HOUR_MS)
        # Without an end nobody plans further than a year.
        last = at_ms + 366 * 24 * HOUR_MS if end_ms is None else end_ms
        return moment if moment is not None and moment < last else None


def build_attribution_router(asking: Asking) -> APIRouter:
    """What each channel or mark was credited with, under `/api/v1/campaigns/{id}`."""
    router = APIRouter(prefix="/api/v1", tags=["money"])

    @router.get(
        "/campaigns/{campaign_id}/attribution",
        summary="Orders credited to channels or marks, with cost and return",
        responses=TABLE_FORMS,
    )
    async def attribution(
        request: Request,
        campaign_id: CampaignId,
        span: Span,
        page: AnyPage,
        model: Annotated[str | None, Query(description="order, first_touch or last_touch (default)")] = None,
        by: Annotated[
            str | None, Query(description="channel (default), utm_source, utm_medium or utm_campaign")
        ] = None,
        lookback: Annotated[str | None, Query(description="1m to 90d, default 7d")] = None,
        format: Format = None,
    ) -> Response:
        refuse_others(request, "model", "by", "lookback", *PAGING)
        chosen = parse_choice("model", model, MODELS, "last_touch")
        dimension = parse_choice("by", by, BY, "channel")
        if chosen == "order" and dimension in ("utm_medium", "utm_campaign"):
            raise InvalidRequest("by", f"orders carry no {dimension}; take a touch model, channel or utm_source")
        window = parse_duration("lookback", lookback, LOOKBACK_MS, MOST_LOOKBACK_DAYS)
        campaign, question, completeness = await asking.about(campaign_id, span)
        table = await attribution_table(asking, campaign, question, chosen, dimension, window, completeness.as_of_ms)
        kinds = [
            "orders",
            *(["traffic"] if chosen != "order" else []),
            *sorted({MEASURES[name].kind.value for name in _costs_by(dimension)}),
        ]
        return tabular_response(request, *table, about=completeness.about(question.end_ms, kinds), page=page)

    return router


async def attribution_table(
    asking: Asking,
    campaign: KnownCampaign,
    question: Question,
    model: str,
    by: str,
    lookback_ms: int,
    now_ms: int,
) -> Table:
    """One row a value that anything was credited to or spent on, the most paid first."""
    # The last whole hour up to the minute that is not over.
    at_ms = floor_minute(min(question.end_ms, now_ms))
    hour = (max(at_ms - HOUR_MS, 0), at_ms) if by == "channel" else (0, 0)
    credit = Credit(question.campaign_id, question.start_ms, question.end_ms, model, by, lookback_ms, *hour)
    costs = _costs_by(by)
    credited, spent, burns = await asyncio.gather(
        attribute(asking.pool, credit),
        _measures(asking.engine, replace(question, group_by=by), costs) if costs else _nothing(),
        _burns(asking, campaign, question, hour) if by == "channel" else _nothing_burns(),
    )
    undefined: dict[str, Value] = dict.fromkeys(_COSTS)
    empty = undefined | (no_measures(replace(question, group_by=by), costs) if costs else {})
    margin = gross_margin(campaign)
    end_ms = None if campaign.declared is None else to_ms(campaign.declared.end)
    rows = []
    for value in credited.keys() | spent.keys():
        sums = credited.get(value, Credited())
        measures = credited_measures(sums) | empty | spent.get(value, {})
        if not any(measures.values()):
            continue
        row: dict[str, Any] = {by: value, **{name: compute(name, measures, margin) for name in _METRICS}}
        if by == "channel":
            burn = burns.get(value, Burn(None, Decimal(0), Decimal(0)))
            moment = burn.exhausted_ms(at_ms, end_ms)
            row |= {
                "budget": burn.budget,
                "budget_used": burn.used(),
                "burn_rate_per_hour": burn.last_hour,
                "budget_exhausted_at": None if moment is None else campaign.local(moment),
                "marginal_roas": float(sums.hour_gmv / burn.last_hour) if burn.last_hour else None,
            }
        rows.append(row)
    rows.sort(key=lambda row: (-row["paid_gmv"], row[by]))
    return [Column(by, Type.TEXT), *metric_columns(_METRICS), *(_BUDGET if by == "channel" else [])], rows


def credited_measures(sums: Credited) -> dict[str, Value]:
    """The measures of orders from what was credited."""
    return {
        "orders_paid": sums.orders_paid,
        "paid_gmv": sums.paid_gmv,
        "refund_amount": sums.refund_amount,
        "buyers": sums.buyers,
        "new_buyers": sums.new_buyers,
    }


def _costs_by(by: str) -> tuple[str, ...]:
    """The costs whose kind of event carries the dimension."""
    if by == "channel":
        return _COSTS
    return tuple(name for name in _COSTS if name != "coupon_cost") if by == "utm_source" else ()


async def _measures(engine: QueryEngine, question: Question, names: Iterable[str]) -> dict[str, dict[str, Value]]:
    return {value: row for (_, value), row in (await engine.measures(question, names)).items()}


async def _nothing() -> dict[str, dict[str, Value]]:
    return {}


async def _nothing_burns() -> Mapping[str, Burn]:
    return {}


async def _burns(
    asking: Asking, campaign: KnownCampaign, question: Question, hour: tuple[int, int]
) -> Mapping[str, Burn]:
    """By channel; a budget is that of the whole campaign, used by all that was spent on it before the period's end."""
    by_channel = replace(question, group_by="channel", start_ms=0)
    budgets = campaign.declared.budgets if campaign.declared is not None else {}
    spent, lately, gone = await asyncio.gather(
        _measures(asking.engine, by_channel, ["ad_cost"]),
        _measures(asking.engine, replace(by_channel, start_ms=hour[0], end_ms=hour[1]), ["ad_cost"]),
        used_up(asking.pool, question, budgets),
    )
    return {
        channel: Burn(budgets.get(channel), _amount(spent, channel), _amount(lately, channel), gone.get(channel))
        for channel in spent.keys() | budgets.keys()
    }


def _amount(found: Mapping[str, Mapping[str, Value]], channel: str) -> Decimal:
    return Decimal(found.get(channel, {}).get("ad_cost") or 0)
