"""The HTTP paths of the metrics service."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import ValidationError

from schemas.campaigns import Campaign
from schemas.metrics import METRICS
from services.common.access.changes import changes
from services.common.access.guard import noted, whose
from services.common.access.roles import Role
from services.common.errors import Forbidden, InvalidRequest, NotFound
from services.common.paging import PAGING, AnyPage, Page, Sorted, paging
from services.common.query.buckets import parse_interval
from services.common.query.completeness import kinds_behind
from services.common.tabular import TABLE_FORMS, Column, Type, tabular_response
from services.metrics.asking import Asking, CampaignId, Format, Period
from services.metrics.baselines.choice import Choice, find_baseline, parse_baseline, unknown_baseline
from services.metrics.baselines.series import compared_series
from services.metrics.campaigns import CampaignBook
from services.metrics.overview import overview_answer
from services.metrics.params import (
    parse_dimension,
    parse_metrics,
    parse_order,
    refuse_unknown,
)
from services.metrics.tables import (
    FUNNEL_KINDS,
    INVENTORY_KINDS,
    STOCK_SPEND_KINDS,
    breakdown_table,
    funnel_table,
    inventory_table,
    series_table,
)

BaselineText = Annotated[
    str | None,
    Query(
        description="what to compare with: none, campaign (default: the declared one), yesterday or last_week; "
        "all but none also with a campaign's id, such as last_week:double-11"
    ),
]

_CATALOGUE = [
    Column("name", Type.TEXT),
    Column("title", Type.TEXT),
    Column("title_zh", Type.TEXT),
    Column("definition", Type.TEXT),
    Column("definition_zh", Type.TEXT),
    Column("explanation", Type.TEXT),
    Column("explanation_zh", Type.TEXT),
    Column("unit", Type.TEXT),
    Column("formula", Type.TEXT),
    Column("dimensions", Type.JSON),
]

_CAMPAIGNS = [
    Column("id", Type.TEXT),
    Column("campaign_id", Type.TEXT),
    Column("name", Type.TEXT),
    Column("start", Type.TEXT),
    Column("end", Type.TEXT),
    Column("timezone", Type.TEXT),
    Column("gross_margin", Type.JSON),
    Column("phases", Type.JSON),
    Column("targets", Type.JSON),
    Column("budgets", Type.JSON),
    Column("baseline_campaign_id", Type.TEXT),
    Column("calendar", Type.JSON),
    Column("note", Type.TEXT),
    Column("currency", Type.TEXT),
    Column("declared", Type.JSON),
    Column("current_phase", Type.TEXT),
]

# Answers say these beside what was declared; a body that was read, changed and put back may still hold them.
_ANSWERED_ONLY = frozenset({"id", "campaign_id", "currency", "declared", "current_phase"})


def build_router(asking: Asking) -> APIRouter:
    """Every path of the contract that speaks of numbers."""
    router = APIRouter(prefix="/api/v1", tags=["numbers"])
    book, engine, pool, clock = asking.book, asking.engine, asking.pool, asking.clock

    @router.get("/metrics", summary="The catalogue: every metric with its definition", responses=TABLE_FORMS)
    async def catalogue(request: Request, page: AnyPage, format: Format = None) -> Response:
        _refuse(request, "format", *PAGING)
        rows = [
            {
                "name": metric.name,
                "title": metric.title,
                "title_zh": metric.title_zh,
                "definition": metric.definition,
                "definition_zh": metric.definition_zh,
                "explanation": f"{metric.explanation.read.en} {metric.explanation.beware.en}",
                "explanation_zh": metric.explanation.read.zh + metric.explanation.beware.zh,
                "unit": metric.unit.value,
                "formula": metric.formula,
                "dimensions": list(metric.dimensions),
            }
            for metric in METRICS.values()
        ]
        return tabular_response(request, _CATALOGUE, rows, page=page)

    @router.get("/campaigns", summary="Every campaign, the latest first", responses=TABLE_FORMS)
    async def campaigns(request: Request, page: AnyPage, format: Format = None) -> Response:
        _refuse(request, "format", *PAGING)
        now = clock()
        mine = whose(request).scope()
        rows = [campaign.answer(now) for campaign in await book.list() if mine.holds(campaign.campaign_id)]
        return tabular_response(request, _CAMPAIGNS, rows, page=page)

    @router.get("/campaigns/{campaign_id}", summary="One campaign")
    async def campaign(campaign_id: CampaignId) -> dict[str, Any]:
        return (await book.get(campaign_id)).answer(clock())

    @router.put("/campaigns/{campaign_id}", summary="Declare a campaign or replace its declaration")
    async def put_campaign(
        request: Request,
        campaign_id: CampaignId,
        body: Annotated[
            dict[str, Any],
            Body(openapi_examples={"festival": {"value": Campaign.model_config["json_schema_extra"]["example"]}}),
        ],
    ) -> dict[str, Any]:
        declared = {key: value for key, value in body.items() if key not in _ANSWERED_ONLY}
        baseline_id = _validated(campaign_id, declared).baseline_campaign_id
        if baseline_id is not None and not whose(request).may(Role.ADMIN, baseline_id):
            # Whoever may read this campaign is shown what it is compared with.
            raise Forbidden("baseline_campaign_id: this needs the role admin for that campaign too")
        noted(request, changed=changes(await _declared(book, campaign_id), declared))
        await book.put(campaign_id, declared)
        return (await book.get(campaign_id)).answer(clock())

    @router.get("/campaigns/{campaign_id}/overview", summary="Every metric over a period, with targets and baseline")
    async def overview(
        request: Request, campaign_id: CampaignId, period: Period, baseline: BaselineText = None
    ) -> dict[str, Any]:
        refuse_unknown(request, "baseline")
        choice = _permitted(request, parse_baseline(baseline))
        known, question, completeness = await asking.about(campaign_id, period)
        compared = await find_baseline(book, known, choice)
        return await overview_answer(engine, known, compared, question, completeness)

    @router.get("/campaigns/{campaign_id}/timeseries", summary="Metrics over time", responses=TABLE_FORMS)
    async def timeseries(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: AnyPage,
        metrics: Annotated[str | None, Query(description="comma-separated; default gmv,uv")] = None,
        interval: Annotated[str, Query(description="1m, 5m, 15m, 1h, 1d: it must divide a day")] = "1m",
        group_by: Annotated[str | None, Query(description="a dimension")] = None,
        baseline: BaselineText = None,
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, "metrics", "interval", "group_by", "baseline", *PAGING)
        choice = _permitted(request, parse_baseline(baseline))
        names = parse_metrics(metrics, ("gmv", "uv"))
        minutes = parse_interval(interval)
        known, question, completeness = await asking.about(campaign_id, period, parse_dimension("group_by", group_by))
        table = await series_table(engine, known, question, names, minutes, completeness)
        if baseline is not None and choice.kind != "none":
            compared = await find_baseline(book, known, choice)
            table = await compared_series(engine, compared, question, names, minutes, completeness, table)
        about = completeness.about(question.end_ms, kinds_behind(names, question.dimensions))
        order = [Sorted("time"), *([Sorted(question.group_by)] if question.group_by else [])]
        return tabular_response(request, *table, about=about, page=page, order=order)

    @router.get("/campaigns/{campaign_id}/breakdown", summary="Metrics per value of a dimension", responses=TABLE_FORMS)
    async def breakdown(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: Annotated[Page, Depends(paging(20))],
        dimension: Annotated[str | None, Query(description="a dimension")] = None,
        metrics: Annotated[str | None, Query(description="comma-separated; default all that carry it")] = None,
        order_by: Annotated[str | None, Query(description="a column, with a leading - the largest first")] = None,
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, "dimension", "metrics", "order_by", *PAGING)
        chosen = parse_dimension("dimension", dimension)
        if chosen is None:
            raise InvalidRequest("dimension", "is missing; name the dimension to break down by")
        names = parse_metrics(metrics, (m.name for m in METRICS.values() if chosen in m.dimensions))
        column, descending = parse_order(order_by, (chosen, *names), f"-{names[0]}")
        known, question, completeness = await asking.about(campaign_id, period, chosen)
        table = await breakdown_table(
            engine, known, question, names, order_by=column, descending=descending, limit=page.reach
        )
        about = completeness.about(question.end_ms, kinds_behind(names, question.dimensions))
        order = [Sorted(column, descending), Sorted(chosen)]
        return tabular_response(request, *table, about=about, page=page, order=order)

    @router.get("/campaigns/{campaign_id}/funnel", summary="From visit to payment", responses=TABLE_FORMS)
    async def funnel(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: AnyPage,
        group_by: Annotated[str | None, Query(description="a dimension")] = None,
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, "group_by", *PAGING)
        _, question, completeness = await asking.about(campaign_id, period, parse_dimension("group_by", group_by))
        table = await funnel_table(pool, question, engine.cuts)
        return tabular_response(request, *table, about=completeness.about(question.end_ms, FUNNEL_KINDS), page=page)

    @router.get("/campaigns/{campaign_id}/inventory", summary="Stock and when it runs out", responses=TABLE_FORMS)
    async def inventory(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: Annotated[Page, Depends(paging(1000))],
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, *PAGING)
        known, question, completeness = await asking.about(campaign_id, period)
        table = await inventory_table(
            pool, engine, known, question, now_ms=completeness.as_of_ms, limit=None, with_spend=True
        )
        kinds = (*INVENTORY_KINDS, *STOCK_SPEND_KINDS)
        return tabular_response(request, *table, about=completeness.about(question.end_ms, kinds), page=page)

    return router


def _refuse(request: Request, *allowed: str) -> None:
    for name in request.query_params:
        if name not in allowed:
            raise InvalidRequest(name, f"no such parameter; there are {', '.join(allowed)}")


def _permitted(request: Request, choice: Choice) -> Choice:
    """Raises what is raised for a campaign that nobody knows, for one that the asker is told nothing of."""
    if choice.campaign_id is not None and not whose(request).may(Role.VIEWER, choice.campaign_id):
        raise unknown_baseline(choice.campaign_id)
    return choice


async def _declared(book: CampaignBook, campaign_id: str) -> dict[str, Any]:
    try:
        return (await book.get(campaign_id)).sent or {}
    except NotFound:
        return {}


def _validated(campaign_id: str, body: dict[str, Any]) -> Campaign:
    try:
        if body.get("baseline_campaign_id") == campaign_id:
            raise InvalidRequest("baseline_campaign_id", "must be another campaign")
        # By way of JSON, so that what is stored reads back to the same declaration.
        return Campaign.model_validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors()[0]
        field = (
            ".".join(str(part) for part in first["loc"])
            or str(first["msg"]).split(":")[0].removeprefix("Value error, ").split(" ")[0]
        )
        raise InvalidRequest(field, str(first["msg"]).removeprefix("Value error, ")) from None
