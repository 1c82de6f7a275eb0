"""Where answers come from: a Warroom over HTTP, or the application that the report is asked of."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from services.common.errors import NotFound, WarroomError
from services.review.query import Answer, Query

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.3
_CONNECT_SECONDS = 5.0
_AT_A_TIME = 4


class NoAnswer(WarroomError):
    """A question got no answer: nobody listens there, or who does refuses or fails. The message says which."""


class Answers(Protocol):
    """The HTTP API, however it is reached."""

    async def get(self, query: Query) -> Answer:
        """The answer as JSON. Raises `NotFound` for status 404 and `NoAnswer` for anything else but success."""
        ...


class HttpAnswers:
    """Asks over HTTP, at most four questions at a time; what may pass is asked again, three times at most."""

    def __init__(
        self,
        base_url: str,
        *,
        seconds: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        attempts: int = _ATTEMPTS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
            transport=transport,
            headers={"accept": "application/json", **(headers or {})},
        )
        self._turn = asyncio.Semaphore(_AT_A_TIME)
        self._pause = pause
        self._attempts = attempts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, query: Query) -> Answer:
        """As `Answers.get`."""
        async with self._turn:
            for attempt in range(self._attempts):
                if attempt:
                    await self._pause(_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
                try:
                    response = await self._http.get(query.url())
                except httpx.TransportError as error:
                    why = f"no Warroom answers at {self.base_url} ({error or type(error).__name__})"
                    continue
                if response.is_success:
                    return Answer(query, _json(response, query))
                why = f"{query.path} was answered with {response.status_code}: {_detail(response)}"
                if response.status_code == httpx.codes.NOT_FOUND:
                    raise NotFound("answer", query.path)
                if response.status_code not in (429, 502, 503, 504):
                    break
        raise NoAnswer(why)


class WithAlertsElsewhere:
    """Asks here, and where `here` has no paths of alerts, as in a process of metrics alone, `there`."""

    def __init__(self, here: Answers, there: Answers) -> None:
        self._here = here
        self._there = there

    async def get(self, query: Query) -> Answer:
        """As `Answers.get`."""
        try:
            return await self._here.get(query)
        except NotFound:
            if not query.path.startswith("/api/v1/alerts"):
                raise
        try:
            return await self._there.get(query)
        except NotFound:
            raise NoAnswer(
                "alerts answer neither here nor there; set WARROOM_ALERTS_URL to where `warroom alerts` is reached"
            ) from None


def _json(response: httpx.Response, query: Query) -> Any:
    try:
        return response.json()
    except ValueError:
        raise NoAnswer(f"{query.path} was answered with what is no JSON; is that address a Warroom?") from None


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:200]
    return str(body.get("detail", body))[:200] if isinstance(body, dict) else str(body)[:200]
