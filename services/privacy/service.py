"""Erasing and exporting where the store is embedded: no other process can open it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from services.common.access.guard import noted
from services.common.clock import Clock, wall_clock
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.privacy.desk import Desk, OneAtATime
from services.privacy.people import LONGEST_ID

MOST_AT_ONCE = 10_000
_LINES = 500

_UserId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class EraseBody(BaseModel):
    """Whom to erase; with `again`, everybody who was erased before."""

    model_config = ConfigDict(extra="forbid")

    user_ids: list[_UserId] = Field(default=[], max_length=MOST_AT_ONCE)
    again: bool = False


class ExportBody(BaseModel):
    """Whose rows to tell. In a body and not in the path, which proxies write down."""

    model_config = ConfigDict(extra="forbid")

    user_id: _UserId


class PrivacyService:
    """One call at a time. Implements `services.common.service.Service`."""

    name = "privacy"

    def __init__(self, settings: Settings, store: Store, clock: Clock = wall_clock) -> None:
        self._pool = StorePool(store, threads=1, name="privacy")
        self._desk = Desk(store, settings, clock)
        self._turn = OneAtATime()
        self.router = self._routes()

    def not_ready(self) -> str | None:
        """Always ready."""
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Nothing of its own to do; returns when told to stop."""
        await stop.wait()
        await self._pool.close()

    def _routes(self) -> APIRouter:
        router = APIRouter(prefix="/api/v1/privacy", include_in_schema=False)

        @router.post("/erase")
        async def erase(request: Request, body: EraseBody) -> dict[str, Any]:
            async with self._turn:
                noted(request, people=len(body.user_ids), again=body.again)
                if body.again:
                    done = await self._pool.call(lambda _: self._desk.erase_again(None))
                else:
                    done = await self._pool.call(lambda _: self._desk.erase(body.user_ids, None))
                noted(request, rows=done["rows"], letters=done["letters"])
                return done

        @router.post("/export")
        async def export(request: Request, body: ExportBody) -> Response:
            async with self._turn:
                # Whose rows is not told: the log would name those who asked to be forgotten.
                noted(request, people=1)
                lines = await self._pool.call(lambda _: self._desk.export(body.user_id, None))
                first = await self._portion(lines)
            return StreamingResponse(
                self._rest(first, lines), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"}
            )

        return router

    async def _rest(self, first: list[str], lines: Iterator[dict[str, Any]]) -> AsyncIterator[str]:
        portion = first
        while portion:
            yield "".join(portion)
            portion = await self._portion(lines)

    async def _portion(self, lines: Iterator[dict[str, Any]]) -> list[str]:
        return await self._pool.call(
            lambda _: [json.dumps(line, ensure_ascii=False) + "\n" for line in islice(lines, _LINES)]
        )
