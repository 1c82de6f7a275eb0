"""`GET /api/v1/campaigns/{id}/pacing`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.common.errors import InvalidRequest
from services.common.paging import PAGING, AnyPage
from services.common.tabular import TABLE_FORMS, tabular_response
from services.metrics.asking import Asking, CampaignId, Format
from services.metrics.pacing.table import pacing_about, pacing_table


def build_pacing_router(asking: Asking) -> APIRouter:
    """The path of pacing."""
    router = APIRouter(prefix="/api/v1", tags=["numbers"])

    @router.get(
        "/campaigns/{campaign_id}/pacing",
        summary="Targets and budgets against the clock: expected by now, projected at the end, needed rate",
        responses=TABLE_FORMS,
    )
    async def pacing(request: Request, campaign_id: CampaignId, page: AnyPage, format: Format = None) -> Response:
        for name in request.query_params:
            if name not in ("format", *PAGING):
                raise InvalidRequest(name, "no such parameter: targets have spans of their own")
        campaign = await asking.book.get(campaign_id)
        completeness = await asking.completeness()
        table = await pacing_table(asking.engine, asking.book, campaign, completeness)
        return tabular_response(request, *table, about=pacing_about(campaign, completeness), page=page)

    return router
