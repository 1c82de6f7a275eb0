"""Sinks that are told by a POST of JSON: requests out, answers judged; the network in one place."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.alerts.delivery.sinks.base import Attempt, Message, Sink
from services.alerts.delivery.text import fit, one_line

AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that mean later and not never."""
TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 16_384
_LONGEST_RETRY_AFTER_MS = 600_000
_DETAIL_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. The address may hold a secret, so it is never shown."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `body` is its beginning, `now` when it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    now: int

    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def retry_after(self) -> int:
        """The header `Retry-After` in milliseconds, at most ten minutes; 0 without one (RFC 9110, 10.2.3)."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", value):
            wait = int(value) * 1000
        else:
            try:
                at = parsedate_to_datetime(value)
            except ValueError:
                return 0
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            wait = int((at - datetime.fromtimestamp(self.now / 1000, tz=UTC)).total_seconds() * 1000)
        return min(max(0, wait), _LONGEST_RETRY_AFTER_MS)


class HttpSink(Sink):
    """POSTs to one address or several. `secrets` are cut out of every detail; parts of the addresses are added."""

    def __init__(
        self, urls: Sequence[str], secrets: Sequence[str] = (), *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._urls = tuple(urls)
        self._secrets = sorted(
            {*secrets, *(part for url in urls for part in _secret_parts(url))}, key=len, reverse=True
        )
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            headers={
                "User-Agent": "warroom",
                "Content-Type": "application/json; charset=utf-8",
                "Accept-Encoding": "identity",
            },
            limits=httpx.Limits(max_connections=max(1, len(urls))),
            verify=_trusted(),
        )

    @property
    def account(self) -> tuple[str, ...]:
        return self._urls

    def requests(self, message: Message, now: int) -> Sequence[Request]:
        """What to POST at this moment, to each address. Pure."""
        body = encode(message)
        return [Request(url, body) for url in self._urls]

    @abstractmethod
    def judge(self, answer: Answer) -> Attempt:
        """What an answer means. Pure."""

    async def send(self, message: Message, now: int) -> Attempt:
        attempts = await asyncio.gather(*(self._post(request, now) for request in self.requests(message, now)))
        return together(attempts)

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, request: Request, now: int) -> Attempt:
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("POST", request.url, content=request.body, headers=request.headers) as response,
            ):
                body = b""
                # An answer may be endless, and a compressed one inflate to anything.
                async for part in response.aiter_raw():
                    body += part
                    if len(body) >= _MOST_BYTES:
                        break
                answer = Answer(response.status_code, response.headers, body[:_MOST_BYTES], now)
        except httpx.InvalidURL:
            return Attempt(False, False, "invalid address")
        except (httpx.HTTPError, TimeoutError) as error:
            # Without the text of the error, which may hold the address and what is secret in it.
            return Attempt(False, True, type(error).__name__)
        attempt = self.judge(answer)
        return Attempt(attempt.delivered, attempt.retry, self._without_secrets(attempt.detail), attempt.retry_after)

    def _without_secrets(self, detail: str) -> str:
        for secret in self._secrets:
            detail = detail.replace(secret, "***")
        return fit(one_line(detail), _DETAIL_LENGTH)


def by_status(answer: Answer, said: str = "") -> Attempt:
    """2xx is delivered, 5xx and a few others may work later, the rest never will."""
    detail = f"HTTP {answer.status}{': ' if said else ''}{said}"
    if 200 <= answer.status < 300:
        return Attempt(True, False, detail)
    retry = answer.status >= 500 or answer.status in AGAIN
    return Attempt(False, retry, detail, answer.retry_after() if retry else 0)


def together(attempts: Sequence[Attempt]) -> Attempt:
    """Of several that were told: delivered when one took it, to be retried when one may yet."""
    best = max(attempts, key=lambda attempt: (attempt.delivered, attempt.retry))
    if len(attempts) == 1:
        return best
    taken = sum(attempt.delivered for attempt in attempts)
    others = sorted({attempt.detail for attempt in attempts if not attempt.delivered})
    detail = "; ".join([f"{taken} of {len(attempts)} took it", *others])
    return Attempt(best.delivered, best.retry, detail, best.retry_after)


def encode(message: Message) -> bytes:
    """JSON in UTF-8; halves of surrogate pairs, of which there is no UTF-8, become question marks."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


@cache
def _trusted() -> ssl.SSLContext:
    """The system's certificates, which take long to load; shared by all sinks."""
    return httpx.create_ssl_context()


def _secret_parts(url: str) -> list[str]:
    """Whatever of an address may be a secret: user and password, the query's values, the path's long parts."""
    parts = urlsplit(url)
    found = [parts.username or "", parts.password or "", *re.split(r"[&=]", parts.query), *parts.path.split("/")]
    return [url, *(part for part in found if len(part) >= 8)]
