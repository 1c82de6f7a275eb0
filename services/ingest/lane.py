"""One assigned partition: from fetched chunks to blocks ready to be written, one at a time.

Nothing here waits or reads a clock; the session drives it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from services.common.tracing import MOST_LINKS
from services.ingest.block import BlockLimits, BlockSize
from services.ingest.columns import Offsets, batch
from services.ingest.duplicates import DuplicateFilter
from services.ingest.protocol import BlockId, Checkpoint, Replay, Resume
from services.ingest.records import CHUNK_RECORDS, Chunk, Traced
from services.ingest.refusals import Refusal
from services.ingest.runs import DecodeRun


@dataclass(slots=True)
class Block:
    """A contiguous range of one partition: its rows and its refusals.

    Its rows hold duplicates until it is written (see `Writer`). `recorded` says that its range is already the committed
    one, so that it need not be committed before it is written.
    """

    id: BlockId
    kind: str
    rows: list[pa.RecordBatch]
    refusals: list[Refusal]
    records: int
    bytes: int
    timestamp: int
    recorded: bool
    duplicates: int = 0
    traces: Sequence[Traced] = ()
    """Some of its records whose producers trace them."""

    @property
    def accepted(self) -> int:
        """How many rows it brings."""
        return sum(batch.num_rows for batch in self.rows)

    def table(self) -> pa.Table:
        """Its rows in one piece, so that they make one block of ClickHouse."""
        joined = pa.Table.from_batches(self.rows).unify_dictionaries().combine_chunks()
        # What was joined is not kept beside it: some 20 MB of a full block.
        self.rows = joined.to_batches()
        return joined

    def keep(self, rows: pa.Table) -> None:
        """Drops its other rows, which are duplicates."""
        self.duplicates = self.accepted - rows.num_rows
        self.rows = rows.to_batches()


@dataclass(slots=True)
class _OpenBlock:
    start: int
    next_offset: int
    timestamp: int
    size: BlockSize
    rows: list[pa.RecordBatch] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    traces: list[Traced] = field(default_factory=list)


class Lane:
    """The state of one assigned partition.

    Records are offered, staged into the open block, sealed; the sealed block is in flight until it is `done`, and
    only then may the next be sealed. `next_offset` is the first offset whose record is not in the tables.
    """

    def __init__(
        self,
        *,
        topic: str,
        partition: int,
        kind: str,
        decision: Replay | Resume,
        limits: BlockLimits,
        decode: DecodeRun,
        seen: DuplicateFilter,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.kind = kind
        self.seen = seen
        self.incarnation = decision.incarnation
        self.opened_at = decision.opened_at
        """When the latest block was opened; later ones are opened later."""
        self.replay = decision if isinstance(decision, Replay) else None
        self.next_offset = decision.start if isinstance(decision, Replay) else decision.offset
        self.committed: int | None = None
        """The offset last committed with nothing in flight."""
        self.in_flight: Block | None = None
        self.held = False
        """No block may be sealed for the moment: an offset is being committed."""
        self.trouble: str | None = None
        """Why its block cannot be written at the moment, as a short sentence."""
        self._limits = limits
        self._decode = decode
        self._pending: deque[Chunk] = deque()
        self._pending_records = 0
        self._pending_bytes = 0
        self._open: _OpenBlock | None = None
        self._position = self.next_offset

    @property
    def buffered_bytes(self) -> int:
        """Bytes of record values that are fetched and not yet in the tables."""
        return (
            self._pending_bytes
            + (self._open.size.bytes if self._open else 0)
            + (self.in_flight.bytes if self.in_flight else 0)
        )

    @property
    def first_timestamp(self) -> int | None:
        """Kafka time of the first fetched record that is not in the tables, or of one before it; None without any."""
        if self.in_flight is not None:
            return self.in_flight.timestamp
        return self._open.timestamp if self._open is not None else None

    @property
    def is_empty(self) -> bool:
        """Nothing is fetched that is not in the tables."""
        return self.in_flight is None and self._open is None

    @property
    def complete_to(self) -> int:
        """The first offset that may hold a record which is not in the tables.

        Beyond `next_offset` where the log goes on without records: marks of transactions, and what these gave up.
        """
        return self._position if self.is_empty and self.replay is None else self.next_offset

    @property
    def fetched_to(self) -> int:
        """The first offset that was not fetched yet."""
        return self._position

    @property
    def opened_since(self) -> int:
        """When the open block was opened; 0 for a block that is replayed."""
        return self._open.size.opened_at if self._open and self.replay is None else 0

    @property
    def checkpoint(self) -> Checkpoint:
        """What may be committed with `next_offset` while no block is in flight."""
        return Checkpoint(self.incarnation, self.opened_at, self.next_offset)

    def wants(self, now: int) -> bool:
        """More records should be fetched for it."""
        if self.replay is not None:
            return self._position < self.replay.end
        return self._open is None or not (
            self._pending_bytes >= self._limits.bytes
            or self._pending_records >= self._limits.records
            or self._open.size.is_closed(self._limits, now)
        )

    def offer(self, chunk: Chunk, now: int) -> None:
        """Takes fetched records, which must follow those offered before; `now` is when their block is opened, if none
        is open."""
        assert chunk.offsets[0] >= self._position
        self._pending.append(chunk)
        self._pending_records += len(chunk)
        self._pending_bytes += chunk.size
        self._position = chunk.next_offset
        if self._open is None and not (self.replay is not None and self.in_flight is not None):
            self._begin(now)

    def reached(self, position: int) -> None:
        """Tells where the consumer stands: a log may end in offsets without records."""
        self._position = max(self._position, position)

    def has_run(self) -> bool:
        """Enough is pending to be worth staging before the block is due."""
        return self._pending_records >= CHUNK_RECORDS and bool(self._room())

    def stage(self) -> bool:
        """Moves a run of pending records into the open block; False when nothing is pending that fits."""
        if not self._pending:
            return False
        chunk = self._next_run(self._room())
        if chunk is None:
            return False
        assert self._open is not None
        self._take(chunk, self._open)
        return True

    def is_due(self, now: int, age_ms: int) -> bool:
        """What is open should be staged and sealed now; `age_ms` is how long a block may wait for more."""
        if self.in_flight is not None or self.held:
            return False
        if self.replay is not None:
            return self._position >= self.replay.end
        return self._open is not None and self._open.size.is_due(
            self._limits, now, age_ms, waiting_records=self._pending_records, waiting_bytes=self._pending_bytes
        )

    def seal(self, now: int) -> Block:
        """Closes the open block and puts it in flight. Only when none is in flight and all that fits is staged.

        `now` is when the next block is opened, if records wait for it.
        """
        assert self.in_flight is None
        replay, block = self.replay, self._open
        if replay is not None:
            block = block or _OpenBlock(replay.start, replay.end, 0, BlockSize(replay.opened_at, now))
            block.start, block.next_offset = replay.start, replay.end
        assert block is not None
        self._open = None
        self.in_flight = Block(
            BlockId(
                self.topic,
                self.partition,
                self.incarnation,
                block.start,
                block.next_offset,
                block.size.opened_at,
            ),
            self.kind,
            block.rows,
            block.refusals,
            block.size.records,
            block.size.bytes,
            block.timestamp,
            recorded=replay is not None,
            traces=block.traces[:MOST_LINKS],
        )
        # What follows a block that is replayed is opened once that is done.
        if self._pending and replay is None:
            self._begin(now)
        return self.in_flight

    def done(self, now: int) -> None:
        """The block in flight is in the tables and its refusals are in the dead-letter topic. `now` is when the next
        block is opened, if records wait for it."""
        assert self.in_flight is not None
        self.next_offset = self.in_flight.id.end
        self.in_flight = None
        self.replay = None
        self.trouble = None
        if self._open is None and self._pending:
            self._begin(now)

    def _begin(self, now: int) -> None:
        if self.replay is not None:
            start, opened_at = self.replay.start, self.replay.opened_at
        else:
            # A later block is opened later, whatever the clock says: arrival tells blocks apart.
            opened_at = self.opened_at = max(now, self.opened_at + 1)
            start = self.in_flight.id.end if self.in_flight else self.next_offset
        self._open = _OpenBlock(start, start, self._pending[0].timestamp, BlockSize(opened_at, now))

    def _room(self) -> int:
        if self._open is None:
            return 0
        if self.replay is not None:
            # The range is given; its limits were those of the process that recorded it.
            return self._limits.records + self.replay.end
        return self._open.size.room(self._limits)

    def _next_run(self, room: int) -> Chunk | None:
        """About a chunk's worth of pending records, joined; None when none may be taken."""
        room = min(room, max(CHUNK_RECORDS, len(self._pending[0])))
        run: list[Chunk] = []
        while self._pending and room > 0:
            chunk = self._pending[0]
            fits = min(room, len(chunk))
            if self.replay is not None:
                fits = min(fits, int(np.searchsorted(chunk.offsets, self.replay.end)))
            if (run and fits < len(chunk)) or not fits:
                break
            self._pending.popleft()
            if fits < len(chunk):
                chunk, rest = chunk.split(fits)
                self._pending.appendleft(rest)
            self._pending_records -= len(chunk)
            self._pending_bytes -= chunk.size
            room -= len(chunk)
            run.append(chunk)
        return Chunk.joined(run) if run else None

    def _take(self, chunk: Chunk, block: _OpenBlock) -> None:
        now = block.size.opened_at
        run = self._decode(chunk.values, now)
        offsets = _offsets(chunk)
        if run.refused:
            for at, error in run.refused:
                block.refusals.append(
                    Refusal(int(chunk.offsets[at]), chunk.keys[at], chunk.values[at], error.reason, error.detail)
                )
            offsets = np.delete(offsets, [at for at, _ in run.refused])
        if run.columns:
            block.rows.append(batch(run.columns, offsets, self.partition, now))
        if chunk.traces:
            block.traces += chunk.traces
        block.size.records += len(chunk)
        block.size.bytes += chunk.size
        block.next_offset = chunk.next_offset


def _offsets(chunk: Chunk) -> Offsets:
    return chunk.offsets.astype(np.uint64)
