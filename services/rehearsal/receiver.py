"""A webhook receiver on this machine: what those who are paged would have seen."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

_SECONDS = 30.0
_MOST_BYTES = 8 << 20


class Notice(NamedTuple):
    """One alert in a message: which, and `firing` or `resolved`."""

    alert_id: str
    status: str


class Receiver:
    """Takes every message and counts what it tells of each alert."""

    def __init__(self) -> None:
        self.notices: Counter[Notice] = Counter()
        self.url = ""
        self._news = asyncio.Event()

    async def received(self, count: int, seconds: float) -> bool:
        """Whether so many notices have come, now or within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while self.notices.total() < count:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which may bring several requests of HTTP/1.1."""
        try:
            while True:
                async with asyncio.timeout(_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    body = await reader.readexactly(_length(head))
                for alert in json.loads(body)["alerts"]:
                    self.notices[Notice(alert["annotations"]["alert_id"], alert["status"])] += 1
                self._news.set()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            # The other side has closed it or has nothing more to say; it connects again when it has.
            return
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    try:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield receiver
    finally:
        server.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return min(_MOST_BYTES, int(value))
    return 0
