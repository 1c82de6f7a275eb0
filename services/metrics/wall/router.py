"""What the page asks over HTTP: the live stream of a lens, and one snapshot of any moment."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from schemas.metrics import DIMENSIONS
from services.common.errors import InvalidRequest
from services.metrics.asking import CampaignId
from services.metrics.campaigns import CampaignBook
from services.metrics.params import filter_parameters, parse_instant
from services.metrics.stream import Broadcasts
from services.metrics.stream_response import StreamResponse
from services.metrics.wall.lens import Lens
from services.metrics.wall.moment import Moments

_Filters = Annotated[dict[str, tuple[str, ...]], Depends(filter_parameters)]


def build_wall_router(book: CampaignBook, broadcasts: Broadcasts, moments: Moments) -> APIRouter:
    """The paths of the page's own."""
    router = APIRouter(prefix="/api/v1", tags=["numbers"])

    @router.get("/campaigns/{campaign_id}/stream", summary="Server-sent events: a snapshot each second, alerts")
    async def stream(
        request: Request,
        campaign_id: CampaignId,
        filters: _Filters,
        last_event_id: Annotated[
            str | None, Header(description="the last id that was seen: alerts that were missed come first")
        ] = None,
    ) -> Response:
        _refuse_unknown(request)
        lens = Lens.of(campaign_id, filters)
        await broadcasts.admit(lens, lambda: book.get(campaign_id))
        return StreamResponse(broadcasts, lens, last_event_id)

    @router.get("/campaigns/{campaign_id}/snapshot", summary="One snapshot, of now or of a moment in the past")
    async def snapshot(
        request: Request,
        campaign_id: CampaignId,
        filters: _Filters,
        at: Annotated[
            str | None,
            Query(description="the moment to show, RFC 3339 with offset, floored to the second; default now"),
        ] = None,
    ) -> dict[str, Any]:
        _refuse_unknown(request, "at")
        moment = parse_instant("at", at)
        return await moments.snapshot(Lens.of(campaign_id, filters), None if moment is None else moment - moment % 1000)

    return router


def _refuse_unknown(request: Request, *allowed: str) -> None:
    known = DIMENSIONS.keys() | set(allowed)
    for name in request.query_params:
        if name not in known:
            raise InvalidRequest(name, f"no such parameter; there are {', '.join(sorted(known))}")
