"""A model of Kafka and ClickHouse around one partition, strict enough to show a loss, a duplicate or a broken token.

The tables are keyed by nothing: rows are appended, so a record that is written twice is there twice. A rollup is fed by
the table and may be left behind by a crash. A token is remembered with the rows that came with it, until `window` later
ones have pushed it out: the same token with other rows is an error, since ClickHouse would drop them in silence. Every
call may crash before or after it took effect, may fail before or after it took effect in the eyes of a caller that
lives on (a lost answer), and an insert may take effect long after its caller died (a zombie).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from services.common.decode import Event, TrafficEvent
from services.common.errors import BrokerError, RefusedEvent, StoreUnavailable
from services.ingest.block import BlockLimits
from services.ingest.consumer import StaleMember
from services.ingest.duplicates import FilterMemory
from services.ingest.ids import Hashes, IdHash
from services.ingest.lane import Lane
from services.ingest.protocol import BlockId, Checkpoint, Replay, Resume, matters_since, on_assignment
from services.ingest.records import Chunk
from services.ingest.refusals import Refusal
from services.ingest.runs import each
from services.ingest.writer import Writer

TOPIC = "traffic"


async def at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    """As `asyncio.to_thread`, without a thread: the model does one thing after another."""
    return call(*arguments)


def _driven(work: Coroutine[Any, Any, None]) -> None:
    """Runs to its end what never really waits. An event loop would take most of the model's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "to_thread", at_once)
        try:
            while True:
                work.send(None)
        except StopIteration:
            pass


HASH = IdHash(random.Random(1).getrandbits)
"""The same in every run, so that the same ids are asked about and a failure can be repeated."""


def all_the_same(ids: pa.StringArray) -> Hashes:
    """Every id is taken for every other."""
    return np.full(len(ids), 77, np.uint64)


class Crash(Exception):
    """The process is gone."""


Rows = list[tuple[str, int, int]]
"""event_id, offset, arrived_at"""


class Table:
    """Rows appended, and the tokens under which they came, of which the latest `window` are remembered."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.tokens: dict[str, list[Any]] = {}

    def insert(self, token: str, rows: list[Any], window: int, *, torn: bool = False) -> None:
        """`torn` says that the store is killed between the token and the rows."""
        if token in self.tokens:
            assert self.tokens[token] == rows, f"a block was built again and came out differently: {token}"
            return
        self.tokens[token] = rows
        if not torn:
            self.rows += rows
        while len(self.tokens) > window:
            del self.tokens[next(iter(self.tokens))]


@dataclass(frozen=True)
class Entry:
    """A row of the ledger."""

    incarnation: str
    opened_at: int
    start: int
    end: int
    records: int
    rows: int
    refusals: int
    duplicates: int


@dataclass
class World:
    """What outlives a process. `fuse` counts down the calls until the crash; negative means never."""

    log: list[str] = field(default_factory=list)
    log_start: int = 0
    offset: tuple[int, str] | None = None
    offset_history: list[tuple[int, str] | None] = field(default_factory=lambda: [None])
    events: Table = field(default_factory=Table)
    rolled_up: Table = field(default_factory=Table)
    refused: Table = field(default_factory=Table)
    blocks: Table = field(default_factory=Table)
    letters: list[int] = field(default_factory=list)
    zombies: deque[Callable[[], None]] = field(default_factory=deque)
    faults: deque[str] = field(default_factory=deque)
    """What befalls the next calls that are made, one each: `refused`, `lost` (it took effect), `torn` (half of an
    insert did), or nothing."""
    window: int = 1 << 30
    hash_ids: Callable[[pa.StringArray], Hashes] = HASH
    generation: int = 0
    now: int = 1_000_000
    fuse: int = -1
    zombie_crash: bool = False

    @property
    def rows(self) -> Rows:
        return self.events.rows

    @property
    def rollup(self) -> Rows:
        return self.rolled_up.rows

    @property
    def dead(self) -> list[int]:
        """Offsets of the rows of dead letters."""
        return [offset for offset, _ in self.refused.rows]

    @property
    def ledger(self) -> list[Entry]:
        return self.blocks.rows

    def step(self) -> None:
        self.fuse -= 1
        if self.fuse == 0:
            raise Crash

    def insert_rows(self, token: str, rows: Rows, *, may_crash: bool = False, torn: bool = False) -> None:
        """The table takes the rows, then its rollup does: a crash between the two leaves the rollup behind."""
        self.events.insert(token, rows, self.window, torn=torn)
        if torn:
            # The views come after the table.
            return
        if may_crash:
            self.step()
        self.rolled_up.insert(token, rows, self.window)

    def fault(self) -> str:
        return self.faults.popleft() if self.faults else ""


class Ports:
    """One process's connections to the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.generation += 1
        self.generation = world.generation

    async def commit(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        self.world.step()
        if self.generation != self.world.generation:
            raise StaleMember("the group has moved on")
        self.world.offset = (checkpoint.start, checkpoint.encode())
        self.world.offset_history.append(self.world.offset)
        self.world.step()

    async def send(self, block: BlockId, refusals: Sequence[Refusal], *, again: bool) -> None:
        fault = self.world.fault()
        if fault in ("refused", "torn"):
            raise BrokerError("away")
        for refusal in refusals:
            if again and refusal.offset in self.world.letters:
                continue
            self.world.step()
            self.world.letters.append(refusal.offset)
        self.world.step()
        if fault == "lost":
            raise BrokerError("the answer is lost")

    async def known(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        fault = self.world.fault()
        self.world.step()
        if fault:
            raise StoreUnavailable("away")
        asked = set(questions.column("event_id").to_pylist())
        return {event_id for event_id, _, arrived in self.world.rows if since <= arrived < until and event_id in asked}

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        assert token is not None
        world = self.world
        take: Callable[..., None]
        if table == "traffic_events":
            values = _events(rows)

            def take(*, may_crash: bool = False, torn: bool = False) -> None:
                world.insert_rows(token, values, may_crash=may_crash, torn=torn)

        else:
            target, entries = (
                (world.refused, _refused(rows)) if table == "dead_letters" else (world.blocks, _entries(rows))
            )

            def take(*, may_crash: bool = False, torn: bool = False) -> None:
                target.insert(token, entries, world.window, torn=torn)

        fault = world.fault()
        if fault == "refused":
            raise StoreUnavailable("away")
        try:
            world.step()
        except Crash:
            if world.zombie_crash:
                world.zombies.append(take)
            raise
        take(may_crash=True, torn=fault == "torn")
        world.step()
        if fault in ("lost", "torn"):
            raise StoreUnavailable("the answer is lost")

    async def holds(self, table: str, rows: pa.Table) -> bool:
        fault = self.world.fault()
        self.world.step()
        if fault:
            raise StoreUnavailable("away")
        first = rows.slice(0, 1)
        if table == "traffic_events":
            return _events(first)[0] in self.world.rows
        if table == "dead_letters":
            return _refused(first)[0] in self.world.refused.rows
        return _entries(first)[0] in self.world.ledger

    async def attach(self, table: str, rows: pa.Table) -> None:
        world = self.world
        fault = world.fault()
        world.step()
        if fault in ("refused", "torn"):
            raise StoreUnavailable("away")
        if table == "traffic_events":
            world.events.rows += _events(rows)
        elif table == "dead_letters":
            world.refused.rows += _refused(rows)
        else:
            world.blocks.rows += _entries(rows)
        world.step()
        if fault == "lost":
            raise StoreUnavailable("the answer is lost")


def _events(rows: pa.Table) -> Rows:
    arrived = rows.column("arrived_at").cast(pa.int64()).to_pylist()
    return list(zip(rows.column("event_id").to_pylist(), rows.column("kafka_offset").to_pylist(), arrived, strict=True))


def _refused(rows: pa.Table) -> list[tuple[int, int]]:
    """Offset and arrival of each."""
    arrived = rows.column("arrived_at").cast(pa.int64()).to_pylist()
    return list(zip(rows.column("kafka_offset").to_pylist(), arrived, strict=True))


def _entries(rows: pa.Table) -> list[Entry]:
    moments = rows.column("opened_at").cast(pa.int64()).to_pylist()
    return [
        Entry(
            row["incarnation"],
            moment,
            row["start_offset"],
            row["end_offset"],
            row["records"],
            row["rows"],
            row["refusals"],
            row["duplicates"],
        )
        for row, moment in zip(rows.to_pylist(), moments, strict=True)
    ]


def decode(value: bytes | None, now_ms: int) -> Event:
    """`!` is refused; `~name` is refused unless judged late enough; anything else is an event of that id."""
    text = (value or b"").decode()
    if is_refused(text, now_ms):
        raise RefusedEvent("schema_violation", text)
    return TrafficEvent(text, "page_view", "", "c", "u", event_time_ms=now_ms)


def is_refused(text: str, now_ms: int) -> bool:
    return text == "!" or (text.startswith("~") and now_ms % 3 == 0)


class Process:
    """One life of ingest: it restores itself from the world, as `restore.Restorer` does, and works until a crash."""

    def __init__(self, world: World, horizon: int, limits: BlockLimits) -> None:
        self.world = world
        self.ports = Ports(world)
        self.writer = Writer(self.ports, self.ports, self.ports, {"traffic": self.ports})
        offset, metadata = world.offset or (None, None)
        decision = on_assignment(
            offset,
            metadata,
            log_start=world.log_start,
            log_end=len(world.log),
            new_incarnation=f"i{world.generation}",
        )
        self.seen = FilterMemory(1 << 16, 1, world.hash_ids).new_filter(horizon)
        self._remember(decision, horizon)
        self.lane = Lane(
            topic=TOPIC,
            partition=0,
            kind="traffic",
            decision=decision,
            limits=limits,
            decode=each("traffic", decode),
            seen=self.seen,
        )
        self.lane.opened_at = max(self.lane.opened_at, *(arrived for *_, arrived in world.rows), 0)
        self.position = self.lane.next_offset

    def fetch(self, count: int) -> None:
        """Offers the next records as one chunk."""
        if not self.lane.wants(self.world.now):
            return
        values = [value.encode() for value in self.world.log[self.position : self.position + count]]
        if not values:
            return
        end = self.position + len(values)
        offsets = range(self.position, end)
        chunk = Chunk.of(values, [None] * len(values), offsets, self.world.now, end)
        self.lane.offer(chunk, self.world.now)
        self.position = end

    def write(self) -> None:
        """Stages, seals and writes what is open, or what is to be replayed."""
        while self.lane.stage():
            pass
        if self.lane.in_flight is not None or (self.lane.is_empty and self.lane.replay is None):
            return
        if self.lane.replay is not None and not self.lane.is_due(self.world.now, 0):
            return
        block = self.lane.seal(self.world.now)
        _driven(self.writer.write(self.lane, block))
        self.lane.done(self.world.now)

    def commit_idle(self) -> None:
        if self.lane.is_empty and self.lane.replay is None:
            _driven(self.ports.commit(TOPIC, 0, self.lane.checkpoint))

    def run_to_the_end(self) -> None:
        """Everything in the log is dealt with."""
        while self.lane.next_offset < len(self.world.log):
            before = (self.lane.next_offset, self.position)
            self.fetch(10_000)
            self.lane.reached(self.position)
            self.write()
            assert (self.lane.next_offset, self.position) != before, "no progress"
        self.commit_idle()

    def _remember(self, decision: Replay | Resume, horizon: int) -> None:
        own = decision.opened_at if isinstance(decision, Replay) else None
        since = matters_since(decision, self.world.now, horizon)
        for event_id, _, arrived in self.world.rows:
            if arrived >= since and arrived != own:
                self.seen.remember(pa.chunked_array([[event_id]]), arrived, arrived)
