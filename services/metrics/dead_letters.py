"""The HTTP paths of dead letters: what was refused, one of them whole, and sending them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.common.access.guard import noted, whose
from services.common.access.roles import Role
from services.common.clock import Clock
from services.common.errors import InvalidRequest, NotFound
from services.common.letters import Cursor, Letter, LetterBook, Place, Redriver
from services.common.letters.answers import (
    COLUMNS,
    RedriveBody,
    letter_answer,
    letter_row,
    report_answer,
    selection,
)
from services.common.settings import Settings
from services.common.store import StorePool
from services.common.tabular import TABLE_FORMS, table_page
from services.metrics.params import parse_limit

_PAGE_BYTES = 32 << 20
"""Values beyond this are left out of a page; each is there under its own path."""

_KNOWN = ("reason", "topic", "from", "to", "redriven", "limit", "cursor", "after", "format")
_FLAGS = {None: None, "true": True, "false": False}


def build_letter_router(pool: StorePool, settings: Settings, clock: Clock) -> APIRouter:
    """The paths below `/api/v1/dead-letters`."""
    router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"])
    book = LetterBook(pool)
    redriver = Redriver(settings, pool, clock)

    @router.get("", summary="What was refused and why, newest first", responses=TABLE_FORMS)
    async def dead_letters(
        request: Request,
        reason: Annotated[str | None, Query(description="one of the contract's reasons")] = None,
        topic: Annotated[str | None, Query(description="the topic's full name")] = None,
        start: Annotated[str | None, Query(alias="from", description="received since, RFC 3339")] = None,
        end: Annotated[str | None, Query(alias="to", description="received before, RFC 3339")] = None,
        redriven: Annotated[str | None, Query(description="true: only those sent back; false: only the others")] = None,
        limit: Annotated[str | None, Query(description="1 to 10000, default 100")] = None,
        cursor: Annotated[str | None, Query(description="goes on behind a page: its `next_cursor`")] = None,
        after: Annotated[str | None, Query(description="the same as cursor")] = None,
        format: Annotated[str | None, Query(description="json, csv, arrow or parquet; wins over Accept")] = None,
    ) -> Response:
        for name in request.query_params:
            if name not in _KNOWN:
                raise InvalidRequest(name, f"no such parameter; there are {', '.join(_KNOWN)}")
        if redriven not in _FLAGS:
            raise InvalidRequest("redriven", "must be true or false")
        rows = parse_limit(limit, 100)
        chosen = selection(reason, topic, start, end, redriven=_FLAGS[redriven])
        letters = await book.page(
            replace(chosen, campaigns=whose(request).scope().regex),
            limit=rows,
            after=_behind(cursor, after),
            newest_first=True,
        )
        if whose(request).may(Role.ADMIN):
            values = await book.values(_small_enough(letters))
            table = [letter_row(letter, values.get(letter.identity)) for letter in letters]
        else:
            # What somebody sent, and its key, name people.
            table = [{**letter_row(letter, None), "key": None} for letter in letters]
        following = str(Cursor.of(letters[-1])) if len(letters) == rows else None
        return table_page(request, COLUMNS, table, following=following, cursor_name="after")

    @router.get("/{topic}/{partition}/{offset}", summary="One letter with its value")
    async def dead_letter(
        request: Request,
        topic: Annotated[str, Path(description="the topic's full name")],
        partition: Annotated[str, Path(description="the partition")],
        offset: Annotated[str, Path(description="the refused record's offset")],
    ) -> dict[str, Any]:
        place = Place.parse(f"{topic}/{partition}/{offset}")
        noted(request, target=str(place))
        found = await book.find(place)
        if not found:
            raise NotFound("dead letter", str(place))
        return letter_answer(found, await book.values(found[:1]))

    @router.post("/redrive", summary="Send letters back to their topics, each once")
    async def redrive(request: Request, body: RedriveBody) -> dict[str, Any]:
        chosen = body.model_dump(by_alias=True, exclude_defaults=True, exclude={"letters", "value", "fields"})
        noted(request, target=", ".join(body.letters[:10]), letters=len(body.letters), **chosen)
        return report_answer(await redriver.redrive(body.request()))

    return router


def _behind(cursor: str | None, after: str | None) -> Cursor | None:
    if cursor is not None and after is not None:
        raise InvalidRequest("after", "is the same as cursor; give one of them")
    if cursor is None:
        return None if after is None else Cursor.parse(after)
    try:
        return Cursor.parse(cursor)
    except InvalidRequest as error:
        raise InvalidRequest("cursor", error.detail) from None


def _small_enough(letters: list[Letter]) -> list[Letter]:
    chosen, size = [], 0
    for letter in letters:
        size += letter.value_bytes
        if size > _PAGE_BYTES:
            break
        chosen.append(letter)
    return chosen
