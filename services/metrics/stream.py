"""The live stream: one snapshot a second per campaign that somebody watches, however many do."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.common.errors import WarroomError

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
IDLE_SECONDS = 10.0
"""How long a campaign's snapshots go on after its last viewer left: a page that reloads finds them warm."""
REMEMBERED = 20
"""A viewer that missed more snapshots than this is sent a full one again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One tick: the message for those who follow, the one for those who come new, and the alerts since the last."""

    number: int
    following: bytes
    full: bytes
    alerts: tuple[bytes, ...]


class SnapshotSource(Protocol):
    """What a broadcast asks each second."""

    async def tick(self) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        """The full snapshot, what may have changed in it since the last tick, and the alerts that changed."""
        ...

    async def close(self) -> None:
        """Ends what `tick` has left running."""
        ...


@dataclass(slots=True)
class _Broadcast:
    source: SnapshotSource
    viewers: int = 0
    latest: Frame | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None


class Broadcasts:
    """All running broadcasts. A slow viewer is never waited for: it skips to the latest snapshot."""

    def __init__(self, source: Callable[[str], SnapshotSource]) -> None:
        self._source = source
        self._running: dict[str, _Broadcast] = {}
        self._closed = False

    async def watch(self, campaign_id: str) -> AsyncIterator[bytes]:
        """The events of one viewer, until it goes away or the service stops."""
        broadcast = self._running.get(campaign_id)
        if broadcast is None:
            broadcast = self._running[campaign_id] = _Broadcast(self._source(campaign_id))
        if broadcast.task is None or broadcast.task.done():
            broadcast.task = asyncio.create_task(self._run(campaign_id, broadcast), name=f"stream-{campaign_id}")
        broadcast.viewers += 1
        seen = 0
        try:
            yield b"retry: 1000\n\n"
            while not self._closed:
                async with broadcast.changed:
                    if broadcast.latest is None or broadcast.latest.number == seen:
                        await broadcast.changed.wait()
                    frame = broadcast.latest
                if frame is None or frame.number == seen:
                    continue
                follows = seen and frame.number - seen <= REMEMBERED
                for alert in frame.alerts if seen else ():
                    yield alert
                yield frame.following if follows else frame.full
                seen = frame.number
        finally:
            broadcast.viewers -= 1

    async def close(self) -> None:
        """Ends every viewer's stream and every broadcast."""
        self._closed = True
        for broadcast in list(self._running.values()):
            if broadcast.task is not None:
                broadcast.task.cancel()
                await asyncio.gather(broadcast.task, return_exceptions=True)
            async with broadcast.changed:
                broadcast.changed.notify_all()

    async def _run(self, campaign_id: str, broadcast: _Broadcast) -> None:
        try:
            await self._ticks(campaign_id, broadcast)
        finally:
            await broadcast.source.close()

    async def _ticks(self, campaign_id: str, broadcast: _Broadcast) -> None:
        loop = asyncio.get_running_loop()
        number = broadcast.latest.number if broadcast.latest is not None else 0
        idle_since: float | None = None
        failures = 0
        while not self._closed:
            started = loop.time()
            if broadcast.viewers:
                idle_since = None
            elif idle_since is None:
                idle_since = started
            elif started - idle_since > IDLE_SECONDS:
                self._running.pop(campaign_id, None)
                return
            try:
                full, changes, alerts = await broadcast.source.tick()
            except Exception as error:
                # Viewers see that nothing comes; the page says that it is stale. The store may be back in a moment, and
                # a fault of ours must not leave them waiting for ever.
                failures += 1
                logger.warning(
                    "snapshot failed",
                    extra={"campaign_id": campaign_id, "error": str(error)},
                    exc_info=None if isinstance(error, WarroomError) else error,
                )
                await asyncio.sleep(min(2.0**failures, 10) * random.uniform(0.5, 1))
                continue
            failures = 0
            number += 1
            async with broadcast.changed:
                broadcast.latest = Frame(
                    number,
                    event_bytes("snapshot", changes, number),
                    event_bytes("snapshot", full, number),
                    tuple(event_bytes("alert", alert) for alert in alerts),
                )
                broadcast.changed.notify_all()
            await asyncio.sleep(max(0.05, PERIOD_SECONDS - (loop.time() - started)))


def event_bytes(name: str, data: Any, number: int | None = None) -> bytes:
    """One server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    identity = f"id: {number}\n" if number is not None else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\n{identity}data: {body}\n\n".encode()
