"""`GET /api/v1/rehearsals`: the scorecards that `warroom rehearse --out` wrote into a folder."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter
from pydantic import ValidationError

from schemas.http.shapes.rehearsals import Scorecard
from services.common.clock import to_datetime
from services.common.errors import InvalidRequest, NotFound, UnreadableFile
from services.common.paging import PAGING, AnyPage
from services.common.problems import problem
from services.common.tabular import TABLE_FORMS, Column, Type, tabular_response
from services.metrics.asking import Format

MOST_BYTES: Final = 16 << 20
"""A larger file is no scorecard: ten festivals of a day come to half a megabyte."""

MOST_CARDS: Final = 500
"""So many are listed, the newest ones."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
_SUFFIX = ".json"

_COLUMNS = [
    Column("name", Type.TEXT),
    Column("written_at", Type.TIME),
    Column("start", Type.TEXT),
    Column("variant", Type.TEXT),
    Column("seed", Type.COUNT),
    Column("festivals", Type.COUNT),
    Column("hours", Type.RATIO),
    Column("events", Type.COUNT),
    Column("injected", Type.COUNT),
    Column("found", Type.COUNT),
    Column("found_share", Type.RATIO),
    Column("false_pages_per_festival", Type.RATIO),
    Column("delay_median_seconds", Type.RATIO),
    Column("delay_p90_seconds", Type.RATIO),
    Column("problem", Type.TEXT),
]

CardName = Annotated[str, PathParameter(pattern=_NAME, description="as listed: the file's name without .json")]


@dataclass(frozen=True, slots=True)
class CardFolder:
    """The folder of scorecards; None has none. Its calls block: they read files."""

    directory: Path | None

    def rows(self) -> list[dict[str, Any]]:
        """Every card in short, the newest first; those that cannot be read with the reason."""
        found = sorted(self._files(), key=lambda file: (-file[1], file[0].name))
        return [self._row(path, written) for path, written in found[:MOST_CARDS]]

    def read(self, name: str) -> Scorecard:
        """Raises `NotFound`, or `UnreadableFile`."""
        path = None if self.directory is None else self.directory / (name + _SUFFIX)
        # A link may lead out of the folder.
        if path is None or not re.match(_NAME, name) or path.is_symlink() or not path.is_file():
            raise NotFound("rehearsal", name)
        return _card(path)

    def _files(self) -> list[tuple[Path, int]]:
        if self.directory is None or not self.directory.is_dir():
            return []
        return [
            (path, path.stat().st_mtime_ns // 1_000_000)
            for path in self.directory.iterdir()
            if path.suffix == _SUFFIX and re.match(_NAME, path.stem) and path.is_file() and not path.is_symlink()
        ]

    def _row(self, path: Path, written_ms: int) -> dict[str, Any]:
        row: dict[str, Any] = {"name": path.stem, "written_at": to_datetime(written_ms)}
        try:
            card = _card(path)
        except UnreadableFile as error:
            return {**row, "problem": str(error)}
        told, totals = card.rehearsed, card.totals
        return {
            **row,
            "start": told.start,
            "variant": told.variant,
            "seed": told.seed,
            "festivals": totals.festivals,
            "hours": told.hours,
            "events": totals.events,
            "injected": totals.injected,
            "found": totals.found,
            "found_share": totals.found_share,
            "false_pages_per_festival": totals.false_pages_per_festival,
            "delay_median_seconds": totals.delay_median_seconds,
            "delay_p90_seconds": totals.delay_p90_seconds,
        }


def build_rehearsals_router(directory: Path | None) -> APIRouter:
    """The scorecards of one folder."""
    router = APIRouter(prefix="/api/v1/rehearsals", tags=["rehearsals"])
    folder = CardFolder(directory)

    @router.get("", summary="Scorecards of rehearsals, the newest first", responses=TABLE_FORMS)
    async def rehearsals(request: Request, page: AnyPage, format: Format = None) -> Response:
        for name in request.query_params:
            if name not in (*PAGING, "format"):
                raise InvalidRequest(name, f"no such parameter; there are {', '.join((*PAGING, 'format'))}")
        return tabular_response(request, _COLUMNS, await asyncio.to_thread(folder.rows), page=page)

    @router.get("/{name}", summary="One scorecard: what was injected and what was told", response_model=None)
    async def rehearsal(name: CardName) -> Response | dict[str, Any]:
        try:
            card = await asyncio.to_thread(folder.read, name)
        except UnreadableFile as error:
            return problem(500, "Unreadable scorecard", str(error))
        return card.model_dump(exclude_unset=True)

    return router


def _card(path: Path) -> Scorecard:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableFile(f"is larger than {MOST_BYTES >> 20} MiB")
        return Scorecard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UnreadableFile(f"is no scorecard: {field + ': ' if field else ''}{first['msg']}") from error
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
