"""Turns what aiokafka has fetched into chunks instead of one `ConsumerRecord` a record.

Building `ConsumerRecord`s costs more than a microsecond of CPU each, as much as decoding the event. aiokafka has no
setting to avoid it, so this module reaches into its fetcher: the container of fetched data is replaced by one that
hands out chunks. Everything else (sessions, rebalances, positions, transactions, checksums) stays aiokafka's.
`tests/ingest/test_fetched.py` fails when a new version of aiokafka no longer fits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import aiokafka.consumer.fetcher
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from schemas.events.limits import MAX_EVENT_BYTES
from services.common import tracing
from services.ingest.inflate import Bytes, TooMuch, Unreadable, inflate
from services.ingest.records import CHUNK_BYTES, CHUNK_RECORDS, Chunk, Values
from services.ingest.scan.batch import HEADER, find_records
from services.ingest.traceparents import traced

logger = logging.getLogger(__name__)

_OVERHEAD: Final = 12
_LENGTH: Final = slice(8, 12)
_COUNT: Final = slice(57, 61)
_MAGIC: Final = 16
_CURRENT: Final = 2
_CODEC: Final = 22
_LEGACY_CODEC: Final = 17
_LEGACY_HEADER: Final = (18, 26)
"""Of the formats 0 and 1: their key and value follow."""
_CODEC_BITS: Final = 7
_SMALLEST_RECORD: Final = 7
_REFUSED_BYTES: Final = MAX_EVENT_BYTES + 1

Batch: TypeAlias = tuple[Any, memoryview, Bytes]
"""aiokafka's batch, its bytes, and those of its records, inflated; none in the formats of before 2017."""


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
            refused = None
            if raw is not None:
                try:
                    data = _inflated(raw)
                    pending.append((batch, raw, data))
                    records += _count(raw)
                    size += max(len(raw), len(data))
                except (TooMuch, Unreadable) as error:
                    refused = self._refused(batch, raw, error)
            if pending and (refused or records >= CHUNK_RECORDS or size >= CHUNK_BYTES):
                yield from self._read(pending)
                pending, records, size = [], 0, 0
            reached = batch.next_offset
            if refused:
                yield from self._cut(refused)
            elif not pending:
                self.next_fetch_offset = reached
        if pending:
            yield from self._read(pending, reached)

    def _read(self, batches: list[Batch], reached: int = 0) -> Iterator[Chunk]:
        """The records of batches that follow each other, up to `reached` if the log goes on there."""
        chunk = _chunk(batches)
        if chunk is not None and _grow(chunk):
            yield from self._cut(replace(chunk, next_offset=max(reached, chunk.next_offset)))
            return
        for batch, raw, data in batches:
            chunk = _chunk([(batch, raw, data)])
            if chunk is None:
                try:
                    chunk = _as_aiokafka_reads(batch)
                except Exception as error:
                    # The checksum is right: this is what somebody sent, and will be tomorrow.
                    chunk = self._refused(batch, raw, Unreadable(str(error)))
            if not _grow(chunk):
                # Brokers check that; where one did not, a record could pass for one that was read before.
                chunk = self._refused(batch, raw, Unreadable("the offsets of its records do not grow"))
            yield from self._cut(chunk)
        self.next_fetch_offset = max(reached, self.next_fetch_offset)

    def _refused(self, batch: Any, raw: memoryview, error: TooMuch | Unreadable) -> Chunk:
        """One record in place of a batch, which becomes its dead letter: `too_large` with the beginning of what comes
        out of it, or `invalid_json` with the batch as it lies in the log, which no JSON begins like."""
        if isinstance(error, TooMuch):
            value = error.head.ljust(_REFUSED_BYTES, b"\0")
        else:
            value = bytes(raw[:MAX_EVENT_BYTES])
        logger.error(
            "a batch of records is refused as a whole",
            extra={
                "topic": self._tp.topic,
                "partition": self._tp.partition,
                "offset": batch.base_offset,
                "records": _count(raw),
                "bytes": len(raw),
                "reason": str(error),
            },
        )
        return Chunk.of([value], [None], [batch.base_offset], _first_timestamp(batch), batch.next_offset)

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


def _grow(chunk: Chunk) -> bool:
    return bool((np.diff(chunk.offsets) > 0).all())


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


def _chunk(batches: Sequence[Batch]) -> Chunk | None:
    """The records of batches that follow each other; None unless all are of the current format and whole."""
    timestamp, end = _first_timestamp(batches[0][0]), batches[-1][0].next_offset
    if all(raw[_MAGIC] >= _CURRENT for _, raw, _ in batches):
        records = [records for *_, records in batches]
        joined = b"".join(records)
        data = np.frombuffer(joined, np.uint8)
        counts = np.array([max(0, _count(raw)) for _, raw, _ in batches], np.int64)
        bases = np.array([batch.base_offset for batch, *_ in batches], np.int64)
        offsets, key_at, key_end, value_at, value_end = np.empty((5, counts.sum()), np.int64)
        starts = np.cumsum([0, *map(len, records)])
        if find_records(data, starts, bases, counts, offsets, key_at, key_end, value_at, value_end):
            values = Values(data, value_at, value_end)
            size = int(values.sizes.sum())
            traces = traced(joined, offsets, value_at, value_end) if tracing.is_on() else ()
            return Chunk(values, Values(data, key_at, key_end), offsets, timestamp, size, end, traces)
    return None


def _as_aiokafka_reads(batch: Any) -> Chunk:
    """The records of one batch, also of the formats of before 2017."""
    found = list(batch)
    if not found:
        raise Unreadable("no records")
    return Chunk.of(
        [record.value for record in found],
        [record.key for record in found],
        [record.offset for record in found],
        _first_timestamp(batch),
        batch.next_offset,
    )


def _inflated(raw: memoryview) -> Bytes:
    """The bytes of a batch's records; none in the formats of before 2017, which aiokafka reads itself.

    Raises `TooMuch` and `Unreadable`, also for a batch that says to have more records than it has room for.
    """
    if raw[_MAGIC] < _CURRENT:
        _check_legacy(raw)
        return b""
    data = inflate(raw[_CODEC], raw[HEADER:], head=_REFUSED_BYTES)
    if not 0 <= _count(raw) * _SMALLEST_RECORD <= len(data):
        raise Unreadable(f"{_count(raw)} records in {len(data)} bytes")
    return data


def _check_legacy(raw: memoryview) -> None:
    """Raises `TooMuch` for a compressed set of messages that aiokafka could not hold."""
    codec = raw[_LEGACY_CODEC] & _CODEC_BITS
    if codec:
        at = _LEGACY_HEADER[raw[_MAGIC]]
        for _ in ("key", "value"):
            size = int.from_bytes(raw[at : at + 4], "big", signed=True)
            at, begin = at + 4 + max(0, size), at + 4
        inflate(codec, raw[begin:at], head=_REFUSED_BYTES)


def _first_timestamp(batch: Any) -> int:
    """Kafka's time of the batch's first record in epoch milliseconds; 0 for the formats of before 2017."""
    if getattr(batch, "magic", 0) < 2:
        return 0
    timestamp: int = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp
    return max(0, timestamp)
