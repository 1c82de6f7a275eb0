"""The outermost layer of every HTTP port."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common import prometheus
from services.common.edge.bodies import BodyRefused, CountedBody, announced
from services.common.edge.headers import guarded
from services.common.edge.origins import Refusal, foreign_host, foreign_page
from services.common.edge.rates import Rates, client_of
from services.common.edge.rules import EdgeRules

logger = logging.getLogger(__name__)

MOST_HEADERS: Final = 100
MOST_TARGET: Final = 16 << 10
"""Bytes of a path and its query."""

_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FREE: Final = frozenset({"/healthz", "/readyz"})
"""What restarts a process or takes it out of the load balancer must not depend on how busy it is."""


class Gate:
    """Refuses what nobody should ask for, bounds the rest, and puts the headers of `headers.guarded` on each answer."""

    def __init__(self, app: ASGIApp, rules: EdgeRules) -> None:
        self._app = app
        self._rules = rules
        self._everyone = Rates(rules.requests_per_minute, places=1)
        self._each = Rates(rules.client_requests_per_minute)
        self._changes = Rates(rules.client_changes_per_minute)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, https=scope["scheme"] == "https")
        refusal, wait = self._judged(scope)
        if refusal is None:
            refusal = await self._let_in(scope, receive, answer)
        if refusal is not None:
            await self._refuse(refusal, wait, answer)

    def _judged(self, scope: Scope) -> tuple[Refusal | None, float]:
        rules, path, method = self._rules, scope["path"], scope["method"]
        if len(scope["headers"]) > MOST_HEADERS:
            return Refusal(431, "Too many headers", f"a request may have {MOST_HEADERS} headers", "head"), 0
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_TARGET:
            return Refusal(414, "URI too long", f"path and query may have {MOST_TARGET} bytes", "head"), 0
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        address = scope["server"][0] if scope.get("server") else None
        refusal = (
            foreign_host(headers.get("host"), None if path in _FREE else rules.hosts, address)
            or foreign_page(method, path, headers, scope["scheme"], rules.origins)
            or announced(headers, rules.body_bytes)
        )
        if refusal is not None or path in _FREE or path.startswith("/assets/"):
            return refusal, 0
        if self._under_way >= rules.requests_at_once:
            detail = f"{self._under_way} requests are being answered; the same call may work in a moment"
            return Refusal(503, "Too much at a time", detail, "at-once"), 1
        return self._rated(method, client_of(scope["client"][0] if scope["client"] else None))

    def _rated(self, method: str, client: str) -> tuple[Refusal | None, float]:
        now = asyncio.get_running_loop().time()
        wait = self._changes.wait(client, now) if method in _CHANGES else 0.0
        wait = wait or self._each.wait(client, now) or self._everyone.wait("", now)
        if not wait:
            return None, 0
        return Refusal(429, "Too many requests", "more were asked than is allowed; see Retry-After", "rate"), wait

    async def _let_in(self, scope: Scope, receive: Receive, answer: _Answer) -> Refusal | None:
        rules = self._rules
        body = CountedBody(receive, rules.body_bytes, rules.body_seconds)
        self._under_way += 1
        answer.on_start, answer.body = self._begun, body
        try:
            async with asyncio.timeout(rules.answer_seconds) as answer.limit:
                await self._app(scope, body, answer)
        except BodyRefused:
            pass
        except TimeoutError:
            if answer.limit is None or not answer.limit.expired():
                raise
            detail = f"this was not answered within {rules.answer_seconds:g} s; ask for less at a time"
            return Refusal(503, "Too slow", detail, "slow-answer")
        finally:
            if not answer.begun:
                self._begun()
        return body.refusal

    def _begun(self) -> None:
        self._under_way -= 1

    async def _refuse(self, refusal: Refusal, wait: float, answer: _Answer) -> None:
        prometheus.HTTP_REFUSED.labels(refusal.kind).inc()
        if answer.begun:
            # Too late to say anything else; the connection ends where the answer stops.
            return
        answer.on_start, answer.body, answer.limit = _nothing, None, None
        body = {"type": "about:blank", "title": refusal.title, "status": refusal.status, "detail": refusal.detail}
        text = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(text)).encode()),
            # What may still come of the request is not read.
            (b"connection", b"close"),
        ]
        if wait or refusal.status == 503:
            headers.append((b"retry-after", str(max(1, math.ceil(wait))).encode()))
        with suppress(OSError):
            await answer({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await answer({"type": "http.response.body", "body": text})


def _nothing() -> None:
    """Nobody waits for the answer to begin."""


class _Answer:
    """ASGI's `send`, which knows whether the answer has begun; from then on it may take its time."""

    def __init__(self, send: Send, *, https: bool) -> None:
        self._send = send
        self._https = https
        self.begun = False
        self.on_start: Callable[[], None] = _nothing
        self.body: CountedBody | None = None
        self.limit: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if not self.begun and self.body is not None and self.body.refusal is not None:
            # The application's own answer to a body that was not read.
            return
        if message["type"] == "http.response.start" and not self.begun:
            self.begun = True
            self.on_start()
            if self.limit is not None and not self.limit.expired():
                self.limit.reschedule(None)
            headers = guarded(message.get("headers", ()), https=self._https)
            message = {**message, "headers": headers}
        await self._send(message)
