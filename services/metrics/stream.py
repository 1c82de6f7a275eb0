"""The live stream: one snapshot a second per lens that somebody watches through, however many do."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from services.common import prometheus
from services.common.errors import Busy, WarroomError
from services.metrics.frames import Message, event_bytes
from services.metrics.viewer import Viewer
from services.metrics.wall.lens import Lens

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
IDLE_SECONDS = 10.0
"""How long a lens's snapshots go on after its last viewer left: a page that reloads finds them warm."""
MOST_FILTERED = 16
"""Broadcasts with filters that run at a time: each asks the store every second."""
MOST_WATCHED = 200
"""Broadcasts without filters: one a campaign."""
REMEMBERED = 600
"""Frames whose alerts are kept for those who come back."""
PAST_MS = 3_600_000
"""How far back alerts are told to one who comes back with an id that this process did not give."""
HEARTBEAT_SECONDS = 10.0

# Between an alert's own moment and when it can be read.
_LATE_MS = 30_000
_HELLO = b"retry: 1000\n\n"
_HEARTBEAT = Message(b": no snapshot\n\n")
# Of the viewers that are written to before others get their turn.
_PORTION = 100


@dataclass(frozen=True, slots=True)
class Tick:
    """What a source says each second.

    `changed` are the alerts that changed since its last tick; `recent` all that it knows, each with the moment (epoch
    ms) of its latest change.
    """

    as_of_ms: int
    snapshot: dict[str, Any]
    changed: list[dict[str, Any]]
    recent: list[tuple[int, dict[str, Any]]]


class SnapshotSource(Protocol):
    """What a broadcast asks each second."""

    async def tick(self) -> Tick:
        """The whole snapshot and the alerts."""
        ...

    async def close(self) -> None:
        """Ends what `tick` has left running."""
        ...


@dataclass(frozen=True, slots=True)
class _Frame:
    number: int
    snapshot: Message
    following: Message
    """The alerts since the last frame and the snapshot: what everyone gets who had the last."""
    tick: Tick


@dataclass(slots=True)
class _Broadcast:
    source: SnapshotSource
    # Numbers mean something only beside the broadcast that gave them: another process, or this one later, counts anew.
    name: str = field(default_factory=lambda: secrets.token_hex(4))
    viewers: dict[Viewer, None] = field(default_factory=dict)
    frames: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    latest: _Frame | None = None
    idle_since: float | None = None
    """When (loop time) it was first seen without viewers; None while it has some."""
    task: asyncio.Task[None] | None = None


class Broadcasts:
    """All running broadcasts.

    Each message is encoded once and handed to every socket that has taken the one before. A viewer whose socket has
    not is passed over, costs no more than that one message, and is dropped after `viewer.SLOW_SECONDS`. One that was
    passed over or comes back is sent the alerts that it missed and the latest snapshot.
    """

    def __init__(self, source: Callable[[Lens], SnapshotSource]) -> None:
        self._source = source
        self._running: dict[Lens, _Broadcast] = {}
        self._asking: dict[Lens, asyncio.Task[object]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def admit(self, lens: Lens, look_up: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Raises what `look_up` raises for a campaign that cannot be watched, and `Busy` for one too many.

        It is asked once however many come at a time, as after a restart, and not at all for one that is being watched.
        """
        if lens in self._running:
            return
        asking = self._asking.get(lens)
        if asking is None:
            asking = self._asking[lens] = asyncio.create_task(look_up(), name=f"admit-{lens.campaign_id}")
            asking.add_done_callback(lambda _: self._asking.pop(lens, None))
        # One who gives up must not end it for the others.
        await asyncio.shield(asking)
        if lens not in self._running and not self._closed:
            self._make_room(filtered=bool(lens.filters))
            # Here, so that it counts before its first viewer has come.
            self._begun(lens)

    @contextmanager
    def watching(self, lens: Lens, viewer: Viewer) -> Iterator[None]:
        """Sends a viewer the events of a lens for as long as the block runs."""
        if self._closed:
            viewer.end()
            yield
            return
        broadcast = self._begun(lens)
        broadcast.viewers[viewer] = None
        prometheus.STREAM_VIEWERS.inc()
        try:
            viewer.begin(_HELLO)
            if broadcast.latest is not None and not viewer.gone:
                _catch_up(broadcast, viewer, broadcast.latest)
            yield
        finally:
            del broadcast.viewers[viewer]
            prometheus.STREAM_VIEWERS.dec()

    def _begun(self, lens: Lens) -> _Broadcast:
        broadcast = self._running.get(lens)
        if broadcast is None:
            broadcast = self._running[lens] = _Broadcast(self._source(lens))
        if broadcast.task is None or broadcast.task.done():
            broadcast.task = asyncio.create_task(self._run(lens, broadcast), name=f"stream-{lens.campaign_id}")
        return broadcast

    def _make_room(self, *, filtered: bool) -> None:
        """Ends the broadcast that nobody has watched for longest, if there are too many of its kind for one more."""
        alike = {lens: broadcast for lens, broadcast in self._running.items() if bool(lens.filters) is filtered}
        most = MOST_FILTERED if filtered else MOST_WATCHED
        if len(alike) < most:
            return
        idle = {lens: broadcast.idle_since for lens, broadcast in alike.items() if not broadcast.viewers}
        left = {lens: since for lens, since in idle.items() if since is not None}
        if not left:
            what = "filters" if filtered else "campaigns"
            raise Busy(f"{most} {what} are being watched; the snapshot of one can be asked for instead")
        longest = min(left, key=lambda lens: left[lens])
        ended = self._running.pop(longest)
        if ended.task is not None:
            ended.task.cancel()
            self._ending.add(ended.task)
            ended.task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Ends every viewer's stream and every broadcast."""
        self._closed = True
        for broadcast in list(self._running.values()):
            if broadcast.task is not None:
                broadcast.task.cancel()
                await asyncio.gather(broadcast.task, return_exceptions=True)
            for viewer in broadcast.viewers:
                viewer.end()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _run(self, lens: Lens, broadcast: _Broadcast) -> None:
        try:
            await self._ticks(lens, broadcast)
        finally:
            await broadcast.source.close()

    async def _ticks(self, lens: Lens, broadcast: _Broadcast) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        spoken = loop.time()
        while not self._closed:
            started = loop.time()
            if broadcast.viewers:
                broadcast.idle_since = None
            elif broadcast.idle_since is None:
                broadcast.idle_since = started
            elif started - broadcast.idle_since > IDLE_SECONDS:
                self._running.pop(lens, None)
                return
            try:
                tick = await broadcast.source.tick()
            except Exception as error:
                # Viewers see that nothing comes; the page says that it is stale. The store may be back in a moment, and
                # a fault of ours must not leave them waiting for ever.
                failures += 1
                logger.warning(
                    "snapshot failed",
                    extra={"campaign_id": lens.campaign_id, "filtered": bool(lens.filters), "error": str(error)},
                    exc_info=None if isinstance(error, WarroomError) else error,
                )
                if loop.time() - spoken >= HEARTBEAT_SECONDS:
                    # Proxies end a connection that says nothing, and who has gone is noticed by writing.
                    await _hand_out(broadcast, lambda viewer: viewer.send(_HEARTBEAT))
                    spoken = loop.time()
                await asyncio.sleep(min(2.0**failures, 10) * random.uniform(0.5, 1))
                continue
            failures = 0
            frame = _framed(broadcast, tick)
            await _hand_out(broadcast, lambda viewer, frame=frame: _send(broadcast, viewer, frame))  # type: ignore[misc]
            spoken = loop.time()
            if broadcast.viewers:
                prometheus.STREAM_FRAME_SECONDS.observe(spoken - started)
            await asyncio.sleep(max(0.05, PERIOD_SECONDS - (spoken - started)))


def _framed(broadcast: _Broadcast, tick: Tick) -> _Frame:
    number = broadcast.latest.number + 1 if broadcast.latest is not None else 1
    snapshot = event_bytes("snapshot", tick.snapshot, f"{broadcast.name}-{number}-{tick.as_of_ms}")
    alerts = b"".join(event_bytes("alert", alert) for alert in tick.changed)
    broadcast.frames.append((number, alerts))
    whole = Message(snapshot)
    broadcast.latest = _Frame(number, whole, Message(alerts + snapshot) if alerts else whole, tick)
    return broadcast.latest


async def _hand_out(broadcast: _Broadcast, send: Callable[[Viewer], None]) -> None:
    """To every viewer whose socket takes it, in portions between which others get their turn."""
    loop = asyncio.get_running_loop()
    everyone = iter(list(broadcast.viewers))
    while portion := list(islice(everyone, _PORTION)):
        now = loop.time()
        for viewer in portion:
            if viewer.gone or viewer not in broadcast.viewers:
                continue
            if viewer.takes(now):
                send(viewer)
            elif viewer.slow(now):
                prometheus.STREAM_DROPPED_VIEWERS.inc()
                viewer.drop()
            else:
                prometheus.STREAM_SKIPPED_FRAMES.inc()
        await asyncio.sleep(0)


def _send(broadcast: _Broadcast, viewer: Viewer, frame: _Frame) -> None:
    if viewer.number == frame.number:
        return
    if viewer.number == frame.number - 1 and viewer.number:
        viewer.send(frame.following)
        viewer.number = frame.number
    else:
        _catch_up(broadcast, viewer, frame)


def _catch_up(broadcast: _Broadcast, viewer: Viewer, frame: _Frame) -> None:
    """The alerts that a viewer missed, if it saw any frame before, and the latest snapshot."""
    missed = b""
    if viewer.number:
        missed = _alerts_after(broadcast, viewer.number, frame)
    elif viewer.last_id is not None:
        name, number, moment = _parsed(viewer.last_id)
        if name == broadcast.name and number is not None:
            missed = _alerts_after(broadcast, number, frame)
        else:
            missed = _alerts_since(frame, moment)
    if missed:
        viewer.send(Message(missed))
    viewer.send(frame.snapshot)
    viewer.number = frame.number


def _alerts_after(broadcast: _Broadcast, number: int, frame: _Frame) -> bytes:
    if broadcast.frames[0][0] > number + 1:
        return _alerts_since(frame, None)
    return b"".join(alerts for each, alerts in broadcast.frames if each > number)


def _alerts_since(frame: _Frame, moment: int | None) -> bytes:
    """By the alerts' own moments: what is visible a little late is told twice rather than never."""
    bound = max(frame.tick.as_of_ms - PAST_MS, (moment or 0) - _LATE_MS)
    return b"".join(event_bytes("alert", alert) for at, alert in reversed(frame.tick.recent) if at >= bound)


def _parsed(identity: str) -> tuple[str, int | None, int | None]:
    """Broadcast, number and moment of an id; None for what cannot be read."""
    parts = identity.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts[1:]):
        return "", None, None
    return parts[0], int(parts[1]), int(parts[2])
