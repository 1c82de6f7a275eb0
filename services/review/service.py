"""`GET /campaigns/{id}/review`: the report as a page, beside whatever else its process serves."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Path, Query, Request, Response

from schemas.campaigns import CAMPAIGN_ID
from services.common.errors import InvalidRequest
from services.common.problems import problem
from services.common.settings import Settings
from services.review.answers import HttpAnswers, NoAnswer, WithAlertsElsewhere
from services.review.compose import compose
from services.review.document import LANGUAGES, Language
from services.review.html import as_html, policy
from services.review.markdown import as_markdown
from services.review.read import Readings, read

_AT_A_TIME = 2
_WAITING = 8
_SECONDS = 60.0
_ELSEWHERE_SECONDS = 10.0
_CREDENTIALS = ("authorization", "cookie")
_PARAMETERS = ("format", "lang")


class ReviewService:
    """Asks the application that it is served by. Implements `services.common.service.Service`.

    A report takes some twenty questions: two are made at a time, eight more may wait, any other is told to come again.
    """

    name = "review"

    def __init__(self, settings: Settings) -> None:
        self._alerts_url = settings.alerts_url or settings.external_url
        self._turn = asyncio.Semaphore(_AT_A_TIME)
        self._waiting = 0
        self.router = self._routes()

    async def run(self, stop: asyncio.Event) -> None:
        """Nothing of its own to do; returns when told to stop."""
        await stop.wait()

    def not_ready(self) -> str | None:
        """Always ready: what it asks says for itself when it is not."""
        return None

    def _routes(self) -> APIRouter:
        router = APIRouter()

        @router.get("/campaigns/{campaign_id}/review", include_in_schema=False)
        async def review(
            request: Request,
            campaign_id: Annotated[str, Path(pattern=CAMPAIGN_ID)],
            format: Annotated[str, Query()] = "html",
            lang: Annotated[str, Query()] = "en",
        ) -> Response:
            _check(request, format, lang)
            if self._waiting >= _AT_A_TIME + _WAITING:
                return problem(503, "Busy", "other reports are being made; the same call may succeed in a moment")
            self._waiting += 1
            try:
                async with asyncio.timeout(_SECONDS), self._turn:
                    readings = await self._read(request, campaign_id)
            except TimeoutError:
                return problem(503, "Too slow", f"the report was not made within {_SECONDS:.0f} s")
            except NoAnswer as error:
                return problem(503, "No answer", str(error))
            finally:
                self._waiting -= 1
            return _written(readings, cast(Language, lang), format, str(request.url.path))

        return router

    async def _read(self, request: Request, campaign_id: str) -> Readings:
        # It is told what the asker may be told.
        asker = {name: value for name in _CREDENTIALS if (value := request.headers.get(name)) is not None}
        host = {"host": request.headers["host"]} if "host" in request.headers else {}
        # The application itself and no socket: this process may not be allowed to reach its own address.
        transport = httpx.ASGITransport(request.app, raise_app_exceptions=False)
        async with (
            HttpAnswers(
                "http://review", seconds=_SECONDS, transport=transport, attempts=1, headers={**asker, **host}
            ) as here,
            HttpAnswers(self._alerts_url, seconds=_ELSEWHERE_SECONDS, attempts=2, headers=asker) as there,
        ):
            return await read(WithAlertsElsewhere(here, there), campaign_id)


def _check(request: Request, format_: str, lang: str) -> None:
    for name in request.query_params:
        if name not in _PARAMETERS:
            raise InvalidRequest(name, f"no such parameter; there are {', '.join(_PARAMETERS)}")
    if format_ not in ("html", "md"):
        raise InvalidRequest("format", "must be html or md")
    if lang not in LANGUAGES:
        raise InvalidRequest("lang", f"must be one of {', '.join(LANGUAGES)}")


def _written(readings: Readings, language: Language, format_: str, path: str) -> Response:
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Content-Language": language}
    document = compose(readings, language)
    if format_ == "md":
        return Response(as_markdown(document), media_type="text/markdown; charset=utf-8", headers=headers)
    other = next(name for name in LANGUAGES if name != language)
    headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    return Response(as_html(document, "", f"{quote(path)}?lang={other}"), media_type="text/html", headers=headers)
