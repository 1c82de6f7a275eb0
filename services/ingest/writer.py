"""Writes one block in the order that makes it exactly once.

The range is committed, refusals are acknowledged, duplicates are told from rows that were perhaps seen before, rows
inserted, and at last the block is entered into the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from services.common import prometheus, tracing
from services.common.errors import BrokerError, StoreRejected, StoreUnavailable
from services.ingest import ledger
from services.ingest.columns import TABLES
from services.ingest.duplicates import Rows
from services.ingest.insertion import Insertion, Tables
from services.ingest.lane import Block, Lane
from services.ingest.protocol import BlockId, Checkpoint
from services.ingest.refusals import Refusal, dead_letters
from services.ingest.settling import Doubts

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_REJECTED_PAUSE = 30.0
_MANY_OF_A_BLOCK = 0.05
_MANY = 100
"""More ids than these that are asked about for nothing mean that the duplicate filter is too small."""


class Offsets(Protocol):
    """The group's committed offsets."""

    async def commit(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        """Returns when Kafka has it. Raises `StaleMember` when this member no longer owns the partition."""
        ...


class Letters(Protocol):
    """The dead-letter topic."""

    async def send(self, block: BlockId, refusals: Sequence[Refusal], *, again: bool) -> None:
        """Returns when Kafka has acknowledged every letter.

        `again` says that the block was begun before: letters that are already there are not sent a second time.
        Raises `BrokerError` when Kafka did not take them all; the call may be repeated.
        """
        ...


class Seen(Protocol):
    """What the tables hold of one kind of event."""

    async def known(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        """Those of the ids asked about that are in the table and arrived in `[since, until)` (epoch milliseconds).

        `questions` are rows of the kind's table, no id twice. The answer counts every row of the partition whose
        insert has returned. Raises `StoreUnavailable` and `StoreRejected`.
        """
        ...


class Writer:
    """The order of steps for every block. Blocks of different partitions may be written at the same time."""

    def __init__(self, offsets: Offsets, letters: Letters, tables: Tables, seen: Mapping[str, Seen]) -> None:
        """`seen` by kind of event."""
        self._offsets = offsets
        self._letters = letters
        self._tables = tables
        self._seen = seen

    async def write(self, lane: Lane, block: Block) -> None:
        """Returns when the block is done. What fails is repeated for ever, since nothing may be dropped; meanwhile
        `lane.trouble` says why.

        Raises `StaleMember` when the partition belongs to another member by now.
        """
        if not block.recorded:
            with tracing.span("commit"):
                await self._offsets.commit(block.id.topic, block.id.partition, block.id.checkpoint)
        if block.refusals:
            await self._until_done(lane, self._letters_of(block))
        if block.rows and (rows := await self._settled(lane, block)).num_rows:
            with tracing.span("insert", {"db.collection.name": TABLES[block.kind], "warroom.rows": rows.num_rows}):
                await self._until_done(lane, self._insertion(block, TABLES[block.kind], rows))
        if block.refusals:
            letters = await asyncio.to_thread(dead_letters, block.id, block.refusals)
            await self._until_done(lane, self._insertion(block, "dead_letters", letters))
        # Not beside the others: what the ledger names is in the tables, so that an audit need not guess.
        await self._until_done(lane, self._insertion(block, ledger.TABLE, ledger.entry(block)))

    async def _settled(self, lane: Lane, block: Block) -> pa.Table:
        """The block's rows without duplicates.

        Every earlier block of the partition is in the tables, and of this one nothing that counts: its own rows, if it
        was begun before, bear the moment at which it was opened. So a block that is built again comes out the same.
        """
        rows, perhaps = await asyncio.to_thread(_marked, lane, block)
        if not len(perhaps):
            return rows
        doubts = await asyncio.to_thread(Doubts, rows.column("event_id").combine_chunks(), perhaps)
        questions = rows.take(pa.array(doubts.questions))
        known: set[str] = set()

        async def ask() -> None:
            nonlocal known
            known = await self._known(lane, block, questions)

        if questions.num_rows:
            await self._until_done(lane, ask)
            self._tell(lane, block, questions.num_rows, len(known))
        fresh: pa.Table = rows.filter(pa.array(doubts.keep(known))).combine_chunks()
        block.keep(fresh)
        return fresh

    async def _known(self, lane: Lane, block: Block, questions: pa.Table) -> set[str]:
        until = block.id.opened_at
        started = time.perf_counter()
        outcome = "failed"
        try:
            known = await self._seen[block.kind].known(
                block.id.partition, questions, until - lane.seen.horizon_ms, until
            )
            outcome = "done"
        finally:
            seconds = time.perf_counter() - started
            prometheus.INGEST_DUPLICATE_QUESTION_SECONDS.labels(block.kind, outcome).observe(seconds)
        return known

    def _tell(self, lane: Lane, block: Block, asked: int, known: int) -> None:
        for answer, count in (("seen", known), ("new", asked - known)):
            prometheus.INGEST_DUPLICATE_QUESTIONS.labels(block.kind, answer).inc(count)
        if asked - known > max(_MANY, block.records * _MANY_OF_A_BLOCK) and not lane.seen.is_small:
            lane.seen.is_small = True
            logger.warning(
                "the duplicate filter is too small for the traffic: raise WARROOM_DUPLICATE_FILTER_MB",
                extra={
                    "topic": lane.topic,
                    "partition": lane.partition,
                    "asked": asked,
                    "seen": known,
                    "records": block.records,
                },
            )

    def _letters_of(self, block: Block) -> Callable[[], Awaitable[None]]:
        again = block.recorded

        async def send() -> None:
            nonlocal again
            # Of letters whose acknowledgement is lost nobody knows whether they are there.
            sent_before, again = again, True
            await self._letters.send(block.id, block.refusals, again=sent_before)

        return send

    def _insertion(self, block: Block, table: str, rows: pa.Table) -> Insertion:
        return Insertion(self._tables, table, rows, block.id.token, again=block.recorded)

    async def _until_done(self, lane: Lane, step: Callable[[], Awaitable[None]]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await step()
            except (StoreUnavailable, BrokerError) as error:
                self._report(lane, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(_LONGEST_PAUSE, pause * 2)
            except StoreRejected as error:
                # It will not work by itself, but somebody may repair the table; the block must not be lost meanwhile.
                self._report(lane, error)
                await asyncio.sleep(_REJECTED_PAUSE * random.uniform(0.9, 1.1))
            else:
                lane.trouble = None
                return

    def _report(self, lane: Lane, error: Exception) -> None:
        lane.trouble = f"{lane.topic}[{lane.partition}] cannot be written: {error}"
        log = logger.error if isinstance(error, StoreRejected) else logger.warning
        log(
            "block not written, trying again",
            extra={"topic": lane.topic, "partition": lane.partition, "error": str(error)},
        )


def _marked(lane: Lane, block: Block) -> tuple[pa.Table, Rows]:
    rows = block.table()
    return rows, lane.seen.mark(rows.column("event_id"), block.id.opened_at)
