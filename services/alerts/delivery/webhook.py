"""One attempt at a webhook."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

_AGAIN = {408, 425, 429}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it. Not `delivered` and not `retry`: the receiver will never take it."""

    delivered: bool
    retry: bool
    detail: str


class Webhook:
    """POSTs JSON to one address. `timeout_seconds` bounds an attempt as a whole."""

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            headers={"User-Agent": "warroom"},
            limits=httpx.Limits(max_connections=1),
        )

    async def post(self, body: dict[str, Any]) -> Attempt:
        """Never raises for what the receiver or the network does."""
        try:
            # The body of the answer is of no interest, and may be endless.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("POST", self._url, json=body) as response,
            ):
                status = response.status_code
        except httpx.InvalidURL as error:
            return Attempt(False, False, f"invalid address: {error}")
        except (httpx.HTTPError, TimeoutError) as error:
            # Without the text of the error, which may hold the address and what is secret in it.
            return Attempt(False, True, type(error).__name__)
        if 200 <= status < 300:
            return Attempt(True, False, f"HTTP {status}")
        return Attempt(False, status >= 500 or status in _AGAIN, f"HTTP {status}")

    async def close(self) -> None:
        await self._client.aclose()
