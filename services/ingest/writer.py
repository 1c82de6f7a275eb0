"""Writes one block in the order that makes it exactly once.

The range is committed, refusals are acknowledged, rows inserted, and at last the block is entered into the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import pyarrow as pa

from services.common import prometheus
from services.common.errors import BrokerError, StoreRejected, StoreUnavailable
from services.ingest import ledger
from services.ingest.columns import TABLES
from services.ingest.lane import Block, Lane
from services.ingest.protocol import BlockId, Checkpoint
from services.ingest.refusals import Refusal, dead_letters

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_REJECTED_PAUSE = 30.0


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


class Tables(Protocol):
    """The store, for coroutines."""

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        """As `Store.insert`."""
        ...


class Writer:
    """The order of steps for every block. Blocks of different partitions may be written at the same time."""

    def __init__(self, offsets: Offsets, letters: Letters, tables: Tables) -> None:
        self._offsets = offsets
        self._letters = letters
        self._tables = tables

    async def write(self, lane: Lane, block: Block) -> None:
        """Returns when the block is done. What fails is repeated for ever, since nothing may be dropped; meanwhile
        `lane.trouble` says why.

        Raises `StaleMember` when the partition belongs to another member by now.
        """
        if not block.recorded:
            await self._offsets.commit(block.id.topic, block.id.partition, block.id.checkpoint)
        if block.refusals:
            await self._until_done(lane, self._letters_of(block))
        if block.rows:
            rows = await asyncio.to_thread(block.table)
            await self._until_done(lane, lambda: self._insert(TABLES[block.kind], rows, block.id.token))
        if block.refusals:
            letters = dead_letters(block.id, block.refusals)
            await self._until_done(lane, lambda: self._insert("dead_letters", letters, block.id.token))
        # Not beside the others: what the ledger names is in the tables, so that an audit need not guess.
        await self._until_done(lane, lambda: self._insert(ledger.TABLE, ledger.entry(block), block.id.token))

    def _letters_of(self, block: Block) -> Callable[[], Awaitable[None]]:
        again = block.recorded

        async def send() -> None:
            nonlocal again
            # Of letters whose acknowledgement is lost nobody knows whether they are there.
            sent_before, again = again, True
            await self._letters.send(block.id, block.refusals, again=sent_before)

        return send

    async def _insert(self, table: str, rows: pa.Table, token: str) -> None:
        started = time.perf_counter()
        outcome = "failed"
        try:
            await self._tables.insert(table, rows, token=token)
            outcome = "done"
        finally:
            prometheus.INGEST_INSERT_SECONDS.labels(table, outcome).observe(time.perf_counter() - started)

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
