"""`GET /api/v1/activity`: who did what, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from schemas.events.times import parse_rfc3339
from services.common.access.activity import ActivityLog
from services.common.clock import to_datetime
from services.common.errors import InvalidRequest
from services.common.paging import PAGING, Page, Sorted, paging
from services.common.tabular import TABLE_FORMS, Column, Type, tabular_response

MOST_ENTRIES = 10_000
_LATEST_MS = 4_102_444_800_000
_KNOWN = ("action", "actor", "campaign_id", "from", "to", *PAGING, "format")

_COLUMNS = (
    Column("id", Type.TEXT),
    Column("at", Type.TIME),
    Column("actor", Type.TEXT),
    Column("subject", Type.TEXT),
    Column("role", Type.TEXT),
    Column("how", Type.TEXT),
    Column("action", Type.TEXT),
    Column("campaign_id", Type.TEXT),
    Column("target", Type.TEXT),
    Column("result", Type.TEXT),
    Column("detail", Type.JSON),
)


def build_activity_router(log: ActivityLog) -> APIRouter:
    """The path of one log."""
    router = APIRouter(prefix="/api/v1", tags=["access"])

    @router.get("/activity", summary="Who did what, newest first; of one time at most 10,000", responses=TABLE_FORMS)
    async def activity(
        request: Request,
        page: Annotated[Page, Depends(paging(100, MOST_ENTRIES))],
        action: Annotated[str | None, Query(max_length=64, description="such as alert.acknowledge, export")] = None,
        actor: Annotated[str | None, Query(max_length=128, description="the name of a key or a person")] = None,
        campaign_id: Annotated[str | None, Query(max_length=64)] = None,
        start: Annotated[str | None, Query(alias="from", description="since, RFC 3339")] = None,
        end: Annotated[str | None, Query(alias="to", description="before, RFC 3339")] = None,
        format: Annotated[str | None, Query(description="json, csv, arrow or parquet; wins over Accept")] = None,
    ) -> Response:
        for name in request.query_params:
            if name not in _KNOWN:
                raise InvalidRequest(name, f"no such parameter; there are {', '.join(_KNOWN)}")
        found = await log.page(
            action=action or "",
            actor=actor or "",
            campaign_id=campaign_id or "",
            from_ms=_moment("from", start, 0),
            to_ms=_moment("to", end, _LATEST_MS),
            limit=page.reach or MOST_ENTRIES,
        )
        rows = [{**row, "at": _at(row["at"])} for row in found]
        order = [Sorted("at", descending=True), Sorted("id", descending=True)]
        return tabular_response(request, _COLUMNS, rows, page=page, order=order)

    return router


def _moment(field: str, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        # In a query an unescaped + arrives as a space.
        moment = parse_rfc3339(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidRequest(field, f"{error}; write it such as 2026-11-11T00:00:00+08:00") from None
    if not 0 <= moment < _LATEST_MS:
        raise InvalidRequest(field, "must be between 1970 and 2100")
    return moment


def _at(moment: datetime | int) -> datetime:
    return to_datetime(moment) if isinstance(moment, int) else moment
