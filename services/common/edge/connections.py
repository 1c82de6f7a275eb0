"""Connections: how many, and how long one may take to say what it wants or to take what it is given.

uvicorn has a limit for a connection that is idle between two requests and none for one that never says anything, says
it a byte at a time, or does not read its answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from typing import Final

import h11
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.common import prometheus
from services.common.edge.headers import guarded
from services.common.edge.rates import client_of
from services.common.edge.rules import EdgeRules
from services.common.http import ConnectionProtocol

_LOOK_SECONDS: Final = 20.0
_LEAST_TAKEN: Final = 20 << 10
"""Bytes of a waiting answer that a client takes between two looks, or it is disconnected: a KiB a second."""


def bounded(rules: EdgeRules) -> type[ConnectionProtocol]:
    """uvicorn's protocol within the rules' bounds, for one port."""
    open_by: Counter[str] = Counter()
    trusted = ProxyHeadersMiddleware(_nobody, rules.trusted_proxies).trusted_hosts

    class Bounded(ConnectionProtocol):
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)  # type: ignore[arg-type]  # handed on as they come
            self._peer: str | None = None
            self._head_due: asyncio.TimerHandle | None = None
            self._look: asyncio.TimerHandle | None = None
            self._waiting = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            address = self.client[0] if self.client else None
            peer = client_of(address)
            full = len(self.connections) > rules.connections
            if full or (address not in trusted and open_by[peer] >= rules.connections_per_client):
                prometheus.HTTP_REFUSED.labels("connections").inc()
                self._say(503, "Too many connections", "as many connections are open as may be")
                return
            open_by[peer] += 1
            self._peer = peer
            self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._peer is not None:
                open_by[self._peer] -= 1
                if not open_by[self._peer]:
                    del open_by[self._peer]
            _cancel(self._head_due)
            _cancel(self._look)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                # A request is under way; its body has a limit of its own.
                _cancel(self._head_due)
                self._head_due = None
            elif self._head_due is None:
                self._expect_head()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._waiting = self._left()
            self._look = self.loop.call_later(_LOOK_SECONDS, self._look_again)

        def resume_writing(self) -> None:
            super().resume_writing()
            _cancel(self._look)

        def send_400_response(self, msg: str) -> None:
            self._say(400, "Bad request", msg)

        def _expect_head(self) -> None:
            self._head_due = self.loop.call_later(rules.head_seconds, self._head_late)

        def _head_late(self) -> None:
            prometheus.HTTP_REFUSED.labels("slow-head").inc()
            self._say(408, "Request timeout", f"the request was not here within {rules.head_seconds:g} s")

        def _look_again(self) -> None:
            left = self._left()
            if self._waiting - left < _LEAST_TAKEN:
                prometheus.HTTP_REFUSED.labels("slow-reader").inc()
                connection = self.transport.get_extra_info("socket")
                if connection is not None:
                    # Or the system would go on sending what it holds.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
                return
            self._waiting = left
            self._look = self.loop.call_later(_LOOK_SECONDS, self._look_again)

        def _left(self) -> int:
            return self.transport.get_write_buffer_size()

        def _say(self, status: int, title: str, detail: str) -> None:
            """Answers what is no request to the application, and hangs up."""
            if self.transport.is_closing():
                return
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
                text = json.dumps(body).encode()
                headers = [
                    (b"content-type", b"application/problem+json"),
                    (b"content-length", str(len(text)).encode()),
                    (b"connection", b"close"),
                ]
                lines = [name + b": " + value for name, value in guarded(headers, https=self.scheme == "https")]
                reason = title.encode()
                self.transport.write(b"\r\n".join([b"HTTP/1.1 %d %b" % (status, reason), *lines, b"", text]))
            self.transport.close()

    return Bounded


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


async def _nobody(*_: object) -> None:
    """An application that is never asked."""
