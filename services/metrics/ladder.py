"""`GET /api/v1/campaigns/{id}/ladder`: placed, paid, net of refunds, net of suspicion."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.common.paging import PAGING, AnyPage
from services.common.query.ladder import ladder
from services.common.tabular import TABLE_FORMS, Column, Type, tabular_response
from services.metrics.asking import Asking, CampaignId, Format, Period
from services.metrics.params import refuse_unknown

_COLUMNS = [
    Column("rung", Type.TEXT),
    Column("amount", Type.MONEY),
    Column("orders", Type.COUNT),
    Column("share", Type.RATIO),
    Column("complete_until", Type.TIME),
]

_KINDS = ("orders",)


def build_ladder_router(asking: Asking, orders_per_hour: int) -> APIRouter:
    """`orders_per_hour`: from how many paid orders within an hour a buyer or a device is suspected of brushing."""
    router = APIRouter(prefix="/api/v1", tags=["money"])

    @router.get(
        "/campaigns/{campaign_id}/ladder",
        summary="Placed, paid, net of refunds, net of orders suspected of brushing",
        responses=TABLE_FORMS,
    )
    async def money_ladder(
        request: Request, campaign_id: CampaignId, period: Period, page: AnyPage, format: Format = None
    ) -> Response:
        refuse_unknown(request, *PAGING)
        campaign, question, completeness = await asking.about(campaign_id, period)
        until = completeness.until(_KINDS)
        rows = [
            {
                "rung": rung.rung,
                "amount": rung.amount,
                "orders": rung.orders,
                "share": rung.share,
                "complete_until": None if until is None else campaign.local(until),
            }
            for rung in await ladder(asking.pool, question, orders_per_hour)
        ]
        return tabular_response(request, _COLUMNS, rows, about=completeness.about(question.end_ms, _KINDS), page=page)

    return router
