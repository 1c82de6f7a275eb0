"""The live stream over real sockets: one source however many watch, and nobody pays for a slow viewer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import uvloop
from fastapi import APIRouter, Header
from hypothesis import given
from hypothesis import strategies as st

from services.common import prometheus
from services.common.access.service import unguarded
from services.common.errors import NotFound, StoreUnavailable
from services.common.runtime import run_services
from services.metrics import stream, viewer
from services.metrics.frames import Message, Wire, event_bytes
from services.metrics.stream import Broadcasts, Tick
from services.metrics.stream_response import StreamResponse
from services.metrics.wall.lens import Lens
from tests.support.broker import free_port
from tests.support.waiting import until

AS_OF_MS = 1_794_355_230_000


@dataclass
class Ticks:
    """Says how often it was asked. `alerts` are told at the tick of that number, and known from then on."""

    padding: int = 0
    failures: int = 0
    error: type[Exception] = StoreUnavailable
    alerts: dict[int, str] = field(default_factory=dict)
    count: int = 0

    async def tick(self) -> Tick:
        if self.failures:
            self.failures -= 1
            raise self.error("the store is away")
        self.count += 1
        now = AS_OF_MS + self.count * 1000
        told = [{"id": self.alerts[self.count]}] if self.count in self.alerts else []
        recent = [
            (AS_OF_MS + number * 1000, {"id": name})
            for number, name in sorted(self.alerts.items(), reverse=True)
            if number <= self.count
        ]
        return Tick(now, {"tick": self.count, "padding": "x" * self.padding}, told, recent)

    async def close(self) -> None:
        """Leaves nothing running."""


class Room:
    """A service with nothing but a stream. `looked_up` counts how often a campaign was looked for."""

    name = "room"

    def __init__(self, source: Callable[[Lens], Ticks]) -> None:
        self.broadcasts = Broadcasts(source)
        self.looked_up = 0
        self.router = APIRouter()

        @self.router.get("/stream/{campaign_id}")
        async def watch(campaign_id: str, last_event_id: str | None = Header(None)) -> StreamResponse:
            name, _, channel = campaign_id.partition(":")
            lens = Lens.of(name, {"channel": (channel,)} if channel else {})
            await self.broadcasts.admit(lens, lambda: self._look_up(name))
            return StreamResponse(self.broadcasts, lens, last_event_id)

    async def _look_up(self, campaign_id: str) -> None:
        self.looked_up += 1
        await asyncio.sleep(0.05)
        if campaign_id == "nowhere":
            raise NotFound("campaign", campaign_id)

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await self.broadcasts.close()

    def not_ready(self) -> str | None:
        return None


class Watcher:
    """A viewer that reads its connection as HTTP says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.headers = b""
        self._body = b""
        self._unpack = zlib.decompressobj(31)

    async def begin(self) -> None:
        self.headers = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 60)).lower()

    async def piece(self) -> bytes:
        """The next bytes of the body; empty at its end."""
        if b"transfer-encoding: chunked" not in self.headers:
            return await asyncio.wait_for(self.reader.read(65536), 60)
        length = int(await asyncio.wait_for(self.reader.readline(), 60) or b"0", 16)
        data = await asyncio.wait_for(self.reader.readexactly(length + 2), 60) if length else b""
        data = data[:-2]
        return self._unpack.decompress(data) if data and b"content-encoding: gzip" in self.headers else data

    async def message(self) -> dict[str, str]:
        """The fields of the next event."""
        while True:
            while b"\n\n" not in self._body:
                piece = await self.piece()
                if not piece:
                    raise EOFError
                self._body += piece
            text, _, self._body = self._body.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in text.decode().splitlines() if not line.startswith(":"))
            if "event" in fields:
                return fields

    async def messages(self, count: int) -> list[tuple[str, Any]]:
        """Some events with their data."""
        return [(found["event"], json.loads(found["data"])) for found in [await self.message() for _ in range(count)]]

    async def until_tick(self, number: int) -> list[str]:
        """Names of the alerts that come before the snapshot of a tick, or a later one."""
        names: list[str] = []
        while True:
            name, data = (await self.messages(1))[0]
            if name == "snapshot" and data["tick"] >= number:
                return names
            if name == "alert":
                names.append(data["id"])


@dataclass
class Place:
    """A running room."""

    room: Room
    port: int
    open: list[Watcher] = field(default_factory=list)

    async def watch(
        self,
        campaign: str = "c",
        headers: dict[str, str] | None = None,
        *,
        version: str = "1.1",
        receive_bytes: int | None = None,
    ) -> Watcher:
        connection = socket.socket()
        if receive_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 16)
        sent = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        writer.write(f"GET /stream/{campaign} HTTP/{version}\r\nHost: room\r\n{sent}\r\n".encode())
        self.open.append(Watcher(reader, writer))
        await self.open[-1].begin()
        return self.open[-1]


@asynccontextmanager
async def running(source: Callable[[Lens], Ticks]) -> AsyncIterator[Place]:
    stop = asyncio.Event()
    place = Place(Room(source), free_port())
    served = asyncio.create_task(run_services([place.room], unguarded(), host="127.0.0.1", port=place.port, stop=stop))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        except OSError:
            assert not served.done()
            await asyncio.sleep(0.01)
        else:
            writer.close()
            break
    try:
        yield place
    finally:
        stop.set()
        for watcher in place.open:
            watcher.writer.close()
        await asyncio.wait_for(served, 60)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PERIOD_SECONDS", 0.05)


async def test_viewers_share_one_source_and_each_gets_every_snapshot_whole() -> None:
    """Catches: a source a viewer, and a viewer that comes later and is given a part."""
    sources: list[Ticks] = []

    def source(_: Lens) -> Ticks:
        sources.append(Ticks())
        return sources[-1]

    async with running(source) as place:
        first = await place.watch()
        await first.messages(2)
        second = await place.watch()
        for seen in (await first.messages(3), await second.messages(3)):
            numbers = [data["tick"] for _, data in seen]
            assert numbers == list(range(numbers[0], numbers[0] + 3))
            assert all("padding" in data for _, data in seen)
        assert len(sources) == 1
        assert b"content-type: text/event-stream" in first.headers


async def test_a_campaign_is_looked_for_once_however_many_come_at_a_time() -> None:
    """Catches: a thousand viewers who come back after a restart and ask the store a thousand times."""
    async with running(lambda _: Ticks()) as place:
        await asyncio.gather(*(place.watch() for _ in range(50)))
        assert place.room.looked_up == 1
        stranger = await place.watch("nowhere")
        assert stranger.headers.startswith(b"http/1.1 404")


@pytest.mark.parametrize(
    ("version", "headers", "coding"),
    [
        ("1.1", {}, None),
        ("1.1", {"Accept-Encoding": "br, gzip;q=0.5"}, b"gzip"),
        ("1.1", {"Accept-Encoding": "gzip;q=0"}, None),
        ("1.0", {}, None),
    ],
)
async def test_every_kind_of_connection_is_told_the_same(
    version: str, headers: dict[str, str], coding: bytes | None
) -> None:
    """Catches: chunks for a client that knows none, and a coding that was not asked for."""
    async with running(lambda _: Ticks(padding=5000, alerts={2: "a"})) as place:
        await (await place.watch()).messages(1)
        watcher = await place.watch("c", headers, version=version)
        assert (b"content-encoding: gzip" in watcher.headers) == (coding is not None)
        assert all(name in ("snapshot", "alert") for name, _ in await watcher.messages(4))


@given(st.lists(st.text(max_size=200), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_shared_pieces_can_be_read_behind_any_others(texts: list[str], chance: random.Random) -> None:
    """Catches: a compressed piece that refers to one that this viewer was not sent."""
    wire = Wire(chunked=False, gzip=True)
    messages = [Message(text.encode()) for text in texts]
    sent = [message for message in messages if chance.random() < 0.5]
    unpack = zlib.decompressobj(31)
    assert unpack.decompress(wire.begin(b"hello ")) == b"hello "
    for message in sent:
        assert unpack.decompress(message.on(wire)) == message.text


async def test_an_alert_is_told_as_it_happens() -> None:
    """Catches: alerts that only a new viewer hears of."""
    async with running(lambda _: Ticks(alerts={3: "spike"})) as place:
        assert await (await place.watch()).until_tick(3) == ["spike"]


async def test_one_that_comes_back_is_sent_the_alerts_that_it_missed() -> None:
    """Catches: alerts lost or told again, and a resumed stream without a whole snapshot at once."""
    async with running(lambda _: Ticks(alerts={2: "seen", 6: "missed", 7: "too"})) as place:
        other = await place.watch()
        leaving = await place.watch()
        while json.loads((found := await leaving.message())["data"]).get("tick", 0) < 3:
            continue
        identity = found["id"]
        leaving.writer.close()
        await other.until_tick(8)
        back = await place.watch("c", {"Last-Event-ID": identity})
        assert await back.until_tick(8) == ["missed", "too"]


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        # Given by a process before this one: by its moment, and a little more rather than less.
        (f"0123abcd-900-{AS_OF_MS + 60_000}", ["later"]),
        (f"0123abcd-900-{AS_OF_MS - 7_200_000}", ["early", "later"]),
        # Not ours at all.
        ("17", ["early", "later"]),
        ("a-b-c-d", ["early", "later"]),
        ("x-1-99999999999999999999", ["early", "later"]),
        (None, []),
    ],
)
async def test_an_id_of_another_process_gets_what_is_recent(identity: str | None, expected: list[str]) -> None:
    """Catches: numbers that mean another frame after a restart, and an id that breaks the stream."""

    class Long(Ticks):
        async def tick(self) -> Tick:
            tick = await super().tick()
            recent = [(AS_OF_MS + 100_000, {"id": "later"}), (AS_OF_MS + 5_000, {"id": "early"}),
                      (AS_OF_MS - 9_000_000, {"id": "long ago"})]  # fmt: skip
            return Tick(AS_OF_MS + 200_000, tick.snapshot, [], recent)

    async with running(lambda _: Long()) as place:
        await (await place.watch()).messages(2)
        headers = {} if identity is None else {"Last-Event-ID": identity}
        assert await (await place.watch("c", headers)).until_tick(1) == expected


async def test_a_viewer_that_does_not_read_is_dropped_and_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches: a queue that grows without end, and a viewer that waits for another."""
    monkeypatch.setattr(viewer, "SLOW_SECONDS", 0.5)
    dropped = prometheus.STREAM_DROPPED_VIEWERS._value.get()
    async with running(lambda _: Ticks(padding=300_000)) as place:
        sleeper = await place.watch(receive_bytes=4096)
        quick = await place.watch()
        seen = [data["tick"] for _, data in await quick.messages(3)]
        while prometheus.STREAM_DROPPED_VIEWERS._value.get() == dropped:
            seen.append((await quick.messages(1))[0][1]["tick"])
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        # What its socket had taken is still there, and not one whole snapshot more.
        left = 0
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while piece := await sleeper.piece():
                left += len(piece)
        assert left < 5 * 300_000
        assert prometheus.STREAM_VIEWERS._value.get() == 1


async def test_a_viewer_that_slept_for_a_moment_misses_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches: frames that were passed over taking their alerts with them."""
    alerts = {number: f"alert-{number}" for number in range(2, 40)}
    async with running(lambda _: Ticks(padding=300_000, alerts=alerts)) as place:
        sleeper = await place.watch(receive_bytes=4096)
        skipped = prometheus.STREAM_SKIPPED_FRAMES._value.get()
        other = await place.watch()
        while prometheus.STREAM_SKIPPED_FRAMES._value.get() < skipped + 5:
            await other.messages(1)
        await other.until_tick(40)
        told = await sleeper.until_tick(41)
        assert sorted(told, key=lambda name: int(name[6:])) == told
        assert set(told) >= set(alerts.values()) - {"alert-2", "alert-3"}


@pytest.mark.parametrize("error", [StoreUnavailable, KeyError])
async def test_a_snapshot_that_fails_for_a_moment_ends_no_stream(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Catches: a fault of the store that leaves viewers waiting for ever; they hear that the connection lives."""
    monkeypatch.setattr(random, "uniform", lambda *_: 0.001)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.0)
    async with running(lambda _: Ticks(failures=3, error=error)) as place:
        watcher = await place.watch()
        text = b""
        while b"snapshot\nid" not in text:
            text += await watcher.piece()
        assert text.startswith(b"retry: 1000\n\n: no snapshot\n\n")


async def test_nobody_watching_means_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches: queries that go on for a page that was closed."""
    monkeypatch.setattr(stream, "IDLE_SECONDS", 0.02)
    async with running(lambda _: Ticks()) as place:
        watcher = await place.watch()
        await watcher.messages(1)
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "stream-c"]
        watcher.writer.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        assert prometheus.STREAM_VIEWERS._value.get() == 0
        assert (await (await place.watch()).messages(1))[0][0] == "snapshot"


async def test_viewers_of_one_filter_share_a_source_and_those_of_another_do_not() -> None:
    """Catches: a source a viewer, and a filter that is answered with the numbers of another, or of none."""
    sources: list[Lens] = []

    def source(lens: Lens) -> Ticks:
        sources.append(lens)
        return Ticks()

    async with running(source) as place:
        for name in ("c:app", "c", "c:app", "c:web", "c:app"):
            assert (await (await place.watch(name)).messages(1))[0][0] == "snapshot"
    assert sources == [Lens.of("c", {"channel": ("app",)}), Lens("c"), Lens.of("c", {"channel": ("web",)})]
    assert Lens.of("c", {"b": ("2", "1"), "a": ("x",)}) == Lens.of("c", {"a": ("x",), "b": ("1", "2", "1")})


async def test_filtered_sources_are_bounded_and_one_that_nobody_watches_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches: a link that is clicked through all regions and leaves a source running for each; a full house that
    turns away who looks at what others look at already, or at everything."""
    monkeypatch.setattr(stream, "MOST_FILTERED", 2)
    async with running(lambda _: Ticks()) as place:
        first, _ = await place.watch("c:app"), await place.watch("c:web")
        refused = await place.watch("c:live")
        assert refused.headers.startswith(b"http/1.1 503")
        assert b"application/problem+json" in refused.headers
        assert b"retry-after" in refused.headers
        for welcome in ("c:app", "c", "d"):
            assert (await (await place.watch(welcome)).messages(1))[0][0] == "snapshot"
        for watcher in (each for each in place.open if each is first or each is place.open[3]):
            watcher.writer.close()
        while not (await place.watch("c:live")).headers.startswith(b"http/1.1 200"):
            continue
        running_now = {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("stream-")}
        assert running_now == {"stream-c", "stream-d"}
        filtered = [lens for lens in place.room.broadcasts._running if lens.filters]
        assert [dict(lens.filters)["channel"][0] for lens in filtered] == ["web", "live"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_closing_ends_every_viewers_stream(version: str) -> None:
    """Catches: a stop that has to wait for viewers, and a body that is cut off instead of ended."""
    async with running(lambda _: Ticks()) as place:
        watcher = await place.watch(version=version)
        await watcher.messages(1)
        await place.room.broadcasts.close()
        while await watcher.piece():
            continue


def test_an_event_is_one_message_even_when_its_text_has_line_breaks() -> None:
    """Catches: a note that ends the message early."""
    text = event_bytes("snapshot", {"note": "a\n\nb\r"}, "x-7-1").decode()
    assert text.count("\n\n") == 1
    assert text.endswith("\n\n")
    assert "\r" not in text
    assert text.startswith("event: snapshot\nid: x-7-1\n")


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))))
def test_an_events_data_is_one_line_to_every_client(name: str) -> None:
    """Catches: a campaign's name with a line separator, which cuts the snapshot in two for clients that use
    `splitlines`, httpx's `iter_lines` among them."""
    (line,) = [line for line in event_bytes("snapshot", {"name": name}).decode().splitlines() if line[:6] == "data: "]
    assert json.loads(line[6:]) == {"name": name}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_one_that_went_away_by_itself_can_still_be_ended(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """Catches: a traceback for each viewer that left in the moment in which the process stops. uvloop, by which we run,
    refuses to write to a connection that is gone; asyncio's own loop does not."""

    async def leave() -> None:
        ours: list[asyncio.Transport] = []
        lost = asyncio.Event()

        class Server(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                # uvloop's is one in all but its class.
                ours.append(cast(asyncio.Transport, transport))

            def connection_lost(self, error: Exception | None) -> None:
                lost.set()

        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await until(lambda: bool(ours))
        leaving = viewer.Viewer(ours[0], Wire(chunked=True, gzip=False))
        broadcasts = Broadcasts(lambda _: Ticks())
        with broadcasts.watching(Lens.of("c", {}), leaving):
            writer.transport.abort()
            await asyncio.wait_for(lost.wait(), 60)
            leaving.send(Message(b"late"))
            await broadcasts.close()
        with broadcasts.watching(Lens.of("c", {}), leaving):
            leaving.end()
        server.close()

    run(leave())
