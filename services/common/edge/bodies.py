"""The body of a request: so many bytes, in so much time, and as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from services.common.edge.origins import Refusal

_PLAIN = frozenset({"", "identity"})


class BodyRefused(HTTPException):
    """A body that is not read any further; of the kind that frameworks let through."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.detail)


def announced(headers: Mapping[str, str], most: int) -> Refusal | None:
    """What is refused by its headers alone: a length that is too much, and a compressed body, whose length says
    nothing."""
    if headers.get("content-encoding", "").strip().lower() not in _PLAIN:
        return Refusal(415, "Unsupported media type", "Content-Encoding: send the body as it is", "encoding")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:19]) > most:
        return _too_large(most)
    return None


class CountedBody:
    """Hands out what the server receives, as ASGI's `receive`; counts it, whatever was announced.

    Raises `BodyRefused` beyond `most` bytes, or when it is not whole `seconds` after the first was asked for, and keeps
    the `refusal`: what is raised here may become an answer of the application's own.
    """

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self._read = 0
        self._deadline: float | None = None
        self._whole = False
        self.refusal: Refusal | None = None

    async def __call__(self) -> Message:
        if self._whole:
            # What comes now is the end of the connection, which a stream waits for.
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            detail = f"the body was not here within {self._seconds:g} s"
            raise self._refused(Refusal(408, "Request timeout", detail, "slow-body")) from None
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            raise self._refused(_too_large(self._most))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    def _refused(self, refusal: Refusal) -> BodyRefused:
        self.refusal = refusal
        return BodyRefused(refusal)


def _too_large(most: int) -> Refusal:
    return Refusal(413, "Content too large", f"a body may have {most} bytes at most", "body")
