"""One viewer of a stream: a connection that is written to directly, and never waited for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass

from services.metrics.frames import Message, Wire

SLOW_SECONDS = 5.0
"""A viewer whose socket has not taken a message for this long is disconnected; it may come back and resume."""
SOCKET_BYTES = 128 << 10
"""What the system may hold for one connection; a viewer that does not read holds so much and one message."""
_UNACKNOWLEDGED_MS = 10_000


@dataclass(slots=True, eq=False)
class Viewer:
    """`number` is the last frame that it was sent, 0 for none yet; `stalled_since` (loop time) tells that its socket
    still holds that back."""

    transport: asyncio.WriteTransport
    wire: Wire
    last_id: str | None = None
    number: int = 0
    stalled_since: float | None = None

    @property
    def gone(self) -> bool:
        """Whether its connection has ended."""
        return self.transport.is_closing()

    def begin(self, text: bytes) -> None:
        """Bounds what the connection may hold and sends the first bytes."""
        if self.gone:
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError, AttributeError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
                # Linux only: the system ends a connection whose other side takes nothing although it is there.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        self.transport.write(self.wire.begin(text))

    def takes(self, now: float) -> bool:
        """Whether its socket has taken all that it was sent. `now` is loop time."""
        if not self.transport.get_write_buffer_size():
            self.stalled_since = None
            return True
        if self.stalled_since is None:
            self.stalled_since = now
        return False

    def slow(self, now: float) -> bool:
        """Whether it is to be dropped."""
        return self.stalled_since is not None and now - self.stalled_since >= SLOW_SECONDS

    def send(self, message: Message) -> None:
        """Hands a message to the socket; returns at once. Nothing where the connection has ended."""
        if self.gone:
            return
        self.transport.write(message.on(self.wire))

    def drop(self) -> None:
        """Disconnects it and forgets what it was still to be sent."""
        self.transport.abort()

    def end(self) -> None:
        """Ends its stream in order; nothing where its connection has ended by itself."""
        # uvloop raises when a connection that is gone is written to.
        if self.gone:
            return
        self.transport.write(self.wire.end)
        self.transport.close()
