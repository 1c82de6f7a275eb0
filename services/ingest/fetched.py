"""Turns what aiokafka has fetched into chunks instead of one `ConsumerRecord` a record.

Building `ConsumerRecord`s costs more than a microsecond of CPU each, as much as decoding the event. aiokafka has no
setting to avoid it, so this module reaches into its fetcher: the container of fetched data is replaced by one that
hands out chunks. Everything else (sessions, rebalances, positions, transactions, checksums) stays aiokafka's.
`tests/ingest/test_fetched.py` fails when a new version of aiokafka no longer fits.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException

from services.ingest.records import CHUNK_BYTES, CHUNK_RECORDS, Chunk


def use_chunks(consumer: AIOKafkaConsumer) -> None:
    """From now on `getmany` of this started consumer returns lists of `Chunk`; `max_records` counts chunks."""
    fetcher: Any = consumer._fetcher
    records = _FetchedChunks()
    for partition, result in fetcher._records.items():
        records[partition] = result
    fetcher._records = records


def wait_between_empty_fetches(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """From now on a fetch that brings nothing takes this long at least, unless the broker took longer already.

    Kafka holds an empty fetch back for `fetch_max_wait_ms`. The embedded broker answers at once, and aiokafka asks
    again at once: thousands of times a second, which keeps a core busy with nothing.
    """
    fetcher: Any = consumer._fetcher
    fetch = fetcher._proc_fetch_request

    async def patiently(*arguments: Any) -> bool:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            found: bool = await fetch(*arguments)
            if not found:
                await asyncio.sleep(started + seconds - loop.time())
        except asyncio.CancelledError:
            # The partitions are gone, and so is the interest in the answer. The original says so too, except while it
            # waits after a failed fetch; then closing the consumer raises this, and looks like our own cancellation.
            return False
        return found

    fetcher._proc_fetch_request = patiently


class _FetchedChunks(OrderedDict[TopicPartition, Any]):
    """The fetcher's results by partition; converts each as it is put in."""

    def __setitem__(self, partition: TopicPartition, result: Any) -> None:
        if type(result) is FetchResult and type(result._partition_records) is PartitionRecords:
            result._partition_records = _ChunkedRecords(result._partition_records)
        super().__setitem__(partition, result)


class _ChunkedRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's iterator over one partition's fetched bytes, yielding chunks."""

    def __init__(self, fetched: PartitionRecords) -> None:
        self.__dict__.update(fetched.__dict__)
        self._records_iterator = self._chunks()

    def _chunks(self) -> Iterator[Chunk]:
        values: list[bytes | None] = []
        keys: list[bytes | None] = []
        offsets: list[int] = []
        timestamp = size = reached = 0
        for batch, holds_events in self._batches():
            reached = batch.next_offset
            if holds_events:
                if not values:
                    timestamp = _first_timestamp(batch)
                before = len(values)
                for record in batch:
                    values.append(record.value)
                    keys.append(record.key)
                    offsets.append(record.offset)
                size += sum(map(len, filter(None, values[before:])))
            if not values:
                self.next_fetch_offset = reached
            elif len(values) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield from self._cut(Chunk(values, keys, offsets, timestamp, size, reached))
                values, keys, offsets, size = [], [], [], 0
        if values:
            yield from self._cut(Chunk(values, keys, offsets, timestamp, size, reached))

    def _cut(self, chunk: Chunk) -> Iterator[Chunk]:
        """Drops what lies before the position (a fetch may begin inside a batch) and keeps every chunk small."""
        skipped = bisect_left(chunk.offsets, self.next_fetch_offset)
        if skipped == len(chunk):
            self.next_fetch_offset = max(self.next_fetch_offset, chunk.next_offset)
            return
        if skipped:
            _, chunk = chunk.split(skipped)
        while len(chunk) >= 2 * CHUNK_RECORDS:
            head, chunk = chunk.split(CHUNK_RECORDS)
            self.next_fetch_offset = head.next_offset
            yield head
        self.next_fetch_offset = chunk.next_offset
        yield chunk

    def _batches(self) -> Iterator[tuple[Any, bool]]:
        """Each batch, and whether it holds events: control batches and aborted transactions do not.

        Follows aiokafka's own loop.
        """
        records = self._records
        while records.has_next():
            batch = records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"invalid checksum in {self._tp}")
            aborted = False
            if self._isolation_level == READ_COMMITTED and batch.producer_id is not None:
                self._consume_aborted_up_to(batch.base_offset)
                if batch.is_control_batch and self._contains_abort_marker(batch):
                    self._aborted_producers.discard(batch.producer_id)
                aborted = batch.is_transactional and batch.producer_id in self._aborted_producers
            yield batch, not (aborted or batch.is_control_batch)


def _first_timestamp(batch: Any) -> int:
    """Kafka's time of the batch's first record in epoch milliseconds; 0 for the formats of before 2017."""
    if getattr(batch, "magic", 0) < 2:
        return 0
    timestamp: int = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp
    return max(0, timestamp)
