"""A child: many viewers in one process, which note when each snapshot was wholly there."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
import zlib
from dataclasses import dataclass, field

import msgspec
import psutil

from services.common.runtime import allow_connections
from tests.bench.meter import cpu_seconds

_BUFFER = bytearray(1 << 20)
_VIEW = memoryview(_BUFFER)
_AT_ONCE = 200
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 120.0


class Watch(msgspec.Struct, frozen=True):
    """What the child is to do."""

    server: int
    """Process id."""
    port: int
    path: str
    viewers: int
    settle: float
    """Seconds after the last viewer has come, which are not noted."""
    seconds: float
    """How long it is noted."""
    least: int
    """Snapshots that each viewer is to have: where the time was too short for them, it is noted for longer."""
    gzip: bool
    core: int


class Seen(msgspec.Struct):
    """What one process of viewers saw: lateness in seconds of every snapshot, its size, and how many each had."""

    lateness: list[float]
    bytes_per_snapshot: float
    counts: list[int]
    lost: int
    seconds: float
    """How long it was noted."""
    server_cpu: float
    """Of one core, while it was noted."""
    server_mb: float


@dataclass(slots=True)
class Sight:
    """One connection: what is still to come of its chunk, and when that snapshot was asked for."""

    connection: socket.socket
    head: bytes = b""
    left: int = 0
    begun: bool = False
    as_of: float | None = None
    count: int = 0


@dataclass(slots=True)
class Watcher:
    """All viewers of this process. Lateness is that of the last byte behind the moment in the snapshot's id."""

    gzip: bool
    lateness: list[float] = field(default_factory=list)
    size: int = 0
    counting: bool = False
    lost: int = 0
    moments: dict[bytes, float | None] = field(default_factory=dict)

    def read(self, sight: Sight, now: float) -> bool:
        """Takes what has come. False when the connection has ended."""
        try:
            number = sight.connection.recv_into(_BUFFER)
        except BlockingIOError:
            return True
        except OSError:
            number = 0
        if not number:
            self.lost += 1
            return False
        at = 0
        while at < number:
            if sight.left > number - at:
                sight.left -= number - at
                break
            if sight.left:
                at += sight.left
                sight.left = 0
                self._done(sight)
                continue
            at = self._begin(sight, at, number)
        return True

    def _begin(self, sight: Sight, at: int, number: int) -> int:
        """Reads the head of a chunk once enough of it is there; returns where its rest begins."""
        data = sight.head + bytes(_VIEW[at : min(number, at + 4_096)])
        if not sight.begun:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                sight.head = data
                return number
            sight.begun = True
            taken = end + 4 - len(sight.head)
            sight.head = b""
            return at + taken
        end = data.find(b"\r\n", 1)
        if end < 0 or (len(data) < 200 and len(data) - end - 4 < int(data[:end], 16)):
            sight.head = data
            return number
        length = int(data[:end], 16) + 2
        start = at + end + 2 - len(sight.head)
        sight.as_of = self._moment(data[end + 2 : end + min(160, length)], length)
        sight.left = length
        if start < at:
            sight.left -= at - start
            start = at
        sight.head = b""
        return start

    def _moment(self, beginning: bytes, length: int) -> float | None:
        key = beginning[:100] + b"%d" % length
        if key not in self.moments:
            wrapped = 31 if beginning.startswith(b"\x1f\x8b") else -zlib.MAX_WBITS
            text = zlib.decompressobj(wrapped).decompress(beginning, 80) if self.gzip else beginning
            line = text.partition(b"\nid: ")[2].partition(b"\n")[0]
            self.moments[key] = int(line.rpartition(b"-")[2]) / 1000 if line else None
            if line and self.counting:
                self.size = length
        return self.moments[key]

    def _done(self, sight: Sight) -> None:
        if sight.as_of is not None and self.counting:
            self.lateness.append(time.time() - sight.as_of)
            sight.count += 1
        sight.as_of = None


def watch(told: Watch) -> Seen:
    """Connects all, lets the burst of the beginning pass, and then notes for some seconds what comes."""
    watcher = Watcher(told.gzip)
    epoll = select.epoll()
    sights: dict[int, Sight] = {}
    coding = "Accept-Encoding: gzip\r\n" if told.gzip else ""
    request = f"GET {told.path} HTTP/1.1\r\nHost: bench\r\n{coding}\r\n".encode()

    def pump(until: float) -> None:
        while (now := time.monotonic()) < until:
            for number, _ in epoll.poll(max(0.0, until - now)):
                if not watcher.read(sights[number], now):
                    epoll.unregister(number)

    for number in range(told.viewers):
        connection = socket.create_connection(("127.0.0.1", told.port), timeout=60)
        connection.sendall(request)
        connection.setblocking(False)
        sights[connection.fileno()] = Sight(connection)
        epoll.register(connection.fileno(), select.EPOLLIN)
        if number % _AT_ONCE == 0:
            pump(time.monotonic() + 0.05)
    pump(time.monotonic() + told.settle)
    watcher.counting = True
    process = psutil.Process(told.server)
    before, started = cpu_seconds(process), time.monotonic()
    pump(started + told.seconds)
    patience = time.monotonic() + _PATIENCE_SECONDS
    while min(sight.count for sight in sights.values()) < told.least and time.monotonic() < patience:
        pump(time.monotonic() + _LOOK_SECONDS)
    noted = time.monotonic() - started
    share = (cpu_seconds(process) - before) / noted
    memory = process.memory_info().rss / (1 << 20)
    for sight in sights.values():
        sight.connection.close()
    counts = [sight.count for sight in sights.values()]
    lateness = [round(each, 4) for each in watcher.lateness]
    return Seen(lateness, watcher.size, counts, watcher.lost, round(noted, 3), round(share, 3), round(memory))


if __name__ == "__main__":
    allow_connections()
    told = msgspec.json.decode(sys.argv[1], type=Watch)
    os.sched_setaffinity(0, {told.core})
    sys.stdout.buffer.write(msgspec.json.encode(watch(told)))
