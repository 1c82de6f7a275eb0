"""The pages that `make setup` builds: the wall and the rehearsal."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

_FILE = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}"

PAGE = Path(__file__).parent / "web" / "dist"


def _document(name: str) -> Response:
    document = PAGE / name
    if not document.is_file():
        return PlainTextResponse("The page is not built; run `make setup`.\n", status_code=503)
    return FileResponse(document, headers={"Cache-Control": "no-cache"})


def add_pages(router: APIRouter) -> None:
    """The pages under their addresses, and their files."""

    @router.get("/", include_in_schema=False)
    async def page() -> Response:
        return _document("index.html")

    @router.get("/rehearsal", include_in_schema=False)
    async def rehearsal() -> Response:
        return _document("rehearsal.html")

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        file = PAGE / "assets" / name
        if re.fullmatch(_FILE, name) is None or not file.is_file():
            return PlainTextResponse("Not found\n", status_code=404)
        # The build puts a hash of the content into each name.
        return FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @router.get("/favicon.svg", include_in_schema=False)
    async def icon() -> Response:
        file = PAGE / "favicon.svg"
        return FileResponse(file) if file.is_file() else PlainTextResponse("Not found\n", status_code=404)
