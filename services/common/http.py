"""Beneath the application: the connection of a request, and the count and time of its answer."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.common import prometheus, tracing

_CONNECTION = "warroom.connection"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ConnectionProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which tells the application the connection that a request came by."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        # uvicorn copies this into the `state` of each request's scope.
        self.app_state = {**self.app_state, _CONNECTION: transport}


def connection_of(scope: Scope) -> asyncio.Transport | None:
    """The connection of a request; None beneath another server.

    Who has begun an answer without a length may write its body here, in the framing of the request's version of HTTP,
    and then has to end it and to close the connection itself.
    """
    return cast("asyncio.Transport | None", scope.get("state", {}).get(_CONNECTION))


class Measured:
    """Counts requests and times them until their answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        # Anybody may make up a method.
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The template, not the path: paths hold identifiers.
                route = getattr(scope.get("route"), "path", "unmatched")
                prometheus.HTTP_REQUESTS.labels(route, method, message["status"]).inc()
                prometheus.HTTP_REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)
                span.name(f"{method} {route}")
                span.say({"http.route": route, "http.response.status_code": message["status"]})
            await send(message)

        # No path, no query, no address, no agent: they tell of people. Nor is a caller's `traceparent` followed, which
        # would let anybody have everything traced.
        with tracing.span(method, {"http.request.method": method}, kind="server") as span:
            await self._app(scope, receive, measured)
