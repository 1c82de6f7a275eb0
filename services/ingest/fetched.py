"""Turns what aiokafka has fetched into chunks instead of one `ConsumerRecord` a record.

Building `ConsumerRecord`s costs more than a microsecond of CPU each, as much as decoding the event. aiokafka has no
setting to avoid it, so this module reaches into its fetcher: the container of fetched data is replaced by one that
hands out chunks. Everything else (sessions, rebalances, positions, transactions, checksums) stays aiokafka's.
`tests/ingest/test_fetched.py` fails when a new version of aiokafka no longer fits.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import aiokafka.consumer.fetcher
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from services.common import tracing
from services.ingest.records import CHUNK_BYTES, CHUNK_RECORDS, Chunk, Values
from services.ingest.scan.batch import HEADER, find_records
from services.ingest.traceparents import traced

_OVERHEAD: Final = 12
_LENGTH: Final = slice(8, 12)
_COUNT: Final = slice(57, 61)
_MAGIC: Final = 16
_CURRENT: Final = 2
_CODEC: Final = 22
_CODEC_BITS: Final = 7
_CODECS: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}
"""By the number that a batch gives; 0 stands for none."""

Batch: TypeAlias = tuple[Any, memoryview]
"""aiokafka's batch, and its bytes."""


def use_chunks(consumer: AIOKafkaConsumer) -> None:
    """From now on `getmany` of this started consumer returns lists of `Chunk`; `max_records` counts chunks."""
    fetcher: Any = consumer._fetcher
    # Other consumers of the process notice nothing.
    aiokafka.consumer.fetcher.MemoryRecords = _RawRecords
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
        pending: list[Batch] = []
        records = size = reached = 0
        for batch, raw in self._batches():
            reached = batch.next_offset
            if raw is not None:
                pending.append((batch, raw))
                records += _count(raw)
                size += len(raw)
            if not pending:
                self.next_fetch_offset = reached
            elif records >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield from self._cut(_chunk(pending))
                pending, records, size = [], 0, 0
        if pending:
            yield from self._cut(replace(_chunk(pending), next_offset=reached))

    def _cut(self, chunk: Chunk) -> Iterator[Chunk]:
        """Drops what lies before the position (a fetch may begin inside a batch) and keeps every chunk small."""
        skipped = int(np.searchsorted(chunk.offsets, self.next_fetch_offset))
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

    def _batches(self) -> Iterator[tuple[Any, memoryview | None]]:
        """Each batch, with its bytes if it holds events: control batches and aborted transactions do not.

        Follows aiokafka's own loop.
        """
        records = self._records
        while records.has_next():
            batch = records.next_batch()
            raw = records.raw
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"invalid checksum in {self._tp}")
            aborted = False
            if self._isolation_level == READ_COMMITTED and batch.producer_id is not None:
                self._consume_aborted_up_to(batch.base_offset)
                if batch.is_control_batch and self._contains_abort_marker(batch):
                    self._aborted_producers.discard(batch.producer_id)
                aborted = batch.is_transactional and batch.producer_id in self._aborted_producers
            yield batch, None if aborted or batch.is_control_batch else raw


class _RawRecords:
    """aiokafka's `MemoryRecords`, which also tells the bytes of each batch."""

    def __init__(self, data: bytes) -> None:
        self.raw = memoryview(b"")
        """The batch returned last."""
        self._records = MemoryRecords(data)
        self._data = memoryview(data)

    def size_in_bytes(self) -> int:
        size: int = self._records.size_in_bytes()
        return size

    def has_next(self) -> bool:
        more: bool = self._records.has_next()
        return more

    def next_batch(self) -> Any:
        if self._records.has_next():
            size = _OVERHEAD + int.from_bytes(self._data[_LENGTH], "big")
            self.raw, self._data = self._data[:size], self._data[size:]
        return self._records.next_batch()


def _count(raw: memoryview) -> int:
    """How many records a batch says that it has; a guess for the formats of before 2017."""
    return int.from_bytes(raw[_COUNT], "big", signed=True) if raw[_MAGIC] >= _CURRENT else 1


def _chunk(batches: Sequence[Batch]) -> Chunk:
    """The records of batches that follow each other."""
    timestamp, end = _first_timestamp(batches[0][0]), batches[-1][0].next_offset
    if all(raw[_MAGIC] >= _CURRENT for _, raw in batches):
        records = [_uncompressed(raw) for _, raw in batches]
        joined = b"".join(records)
        data = np.frombuffer(joined, np.uint8)
        counts = np.array([max(0, _count(raw)) for _, raw in batches], np.int64)
        bases = np.array([batch.base_offset for batch, _ in batches], np.int64)
        offsets, key_at, key_end, value_at, value_end = np.empty((5, counts.sum()), np.int64)
        starts = np.cumsum([0, *map(len, records)])
        if find_records(data, starts, bases, counts, offsets, key_at, key_end, value_at, value_end):
            values = Values(data, value_at, value_end)
            size = int(values.sizes.sum())
            traces = traced(joined, offsets, value_at, value_end) if tracing.is_on() else ()
            return Chunk(values, Values(data, key_at, key_end), offsets, timestamp, size, end, traces)
    # Formats of before 2017, and what is broken, which aiokafka says best.
    found = [record for batch, _ in batches for record in batch]
    return Chunk.of(
        [record.value for record in found],
        [record.key for record in found],
        [record.offset for record in found],
        timestamp,
        end,
    )


def _uncompressed(raw: memoryview) -> bytes | memoryview:
    """The bytes of a batch's records."""
    decode = _CODECS.get(raw[_CODEC] & _CODEC_BITS)
    return raw[HEADER:] if decode is None else decode(bytes(raw[HEADER:]))


def _first_timestamp(batch: Any) -> int:
    """Kafka's time of the batch's first record in epoch milliseconds; 0 for the formats of before 2017."""
    if getattr(batch, "magic", 0) < 2:
        return 0
    timestamp: int = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp
    return max(0, timestamp)
