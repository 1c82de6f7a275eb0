"""The dead-letter topic: sending what was refused, and finding what a crashed predecessor has already sent."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from services.common.clock import Clock, wall_clock
from services.common.errors import BrokerError
from services.common.kafka import MAX_LETTER_BYTES, consumer_client, producer_client
from services.common.settings import Settings
from services.ingest.fetched import use_chunks
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal, letter, received_at

logger = logging.getLogger(__name__)

_SEND_SECONDS = 30.0
"""How long Kafka may take to acknowledge one batch of letters."""
_SEARCH_SECONDS = 60.0
_STOP_SECONDS = 2.0
_CLOCK_MARGIN_MS = 5 * 60_000
"""How far the clocks of two ingest machines may be apart."""
_BATCH_BYTES = 512 << 10
"""Letters travel in batches of about this size: topics that we did not make take 1 MB at most, as a rule."""
_OVERHEAD = 512
"""What Kafka's record batch adds to a letter and its key."""
_SMALLEST_LIMIT = 16 << 10
"""A letter shrinks no further for a topic that takes little."""


class DeadLetterTopic:
    """Produces refusals with acks from all replicas. Must be created and used within one event loop.

    A producer that has failed is replaced: after a batch that the broker refused for good its sequence has a gap, and
    Kafka would refuse all that follows.
    """

    def __init__(self, settings: Settings, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self._clock = clock
        self._topic = settings.topics["dlq"]
        self._limit = MAX_LETTER_BYTES
        self._lock = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects. Raises `BrokerError`."""
        try:
            await self._connected()
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(f"could not start the dead-letter producer: {error!r}") from error

    async def stop(self) -> None:
        """Closes the connections within 2 s; what was not acknowledged may or may not arrive."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("dead-letter producer not closed in order", extra={"error": repr(error)})

    async def send(self, block: BlockId, refusals: Sequence[Refusal], *, again: bool) -> None:
        """As `writer.Letters`. The letters of a partition stay in their order, in one partition of the topic."""
        try:
            if again:
                there = await self._already_there(block)
                refusals = [refusal for refusal in refusals if refusal.offset not in there]
            if refusals:
                await self._send(block, refusals)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(f"dead letters were not acknowledged: {error!r}") from error

    async def _send(self, block: BlockId, refusals: Sequence[Refusal]) -> None:
        producer = await self._connected()
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                count = len(await producer.partitions_for(self._topic))
            # A future a letter, and the wakeups that come with it, would cost far more than the letters do.
            sent: asyncio.Future[Any] | None = None
            for batch in self._batches(producer, block, refusals):
                async with asyncio.timeout(_SEND_SECONDS):
                    before, sent = (
                        sent,
                        await producer.send_batch(batch, self._topic, partition=block.partition % count),
                    )
                    if before is not None:
                        await before
            async with asyncio.timeout(_SEND_SECONDS):
                if sent is not None:
                    await sent
        except BaseException as error:
            if isinstance(error, MessageSizeTooLargeError) and self._limit > _SMALLEST_LIMIT:
                self._limit //= 2
                logger.warning("letters are too large for the topic", extra={"limit": self._limit})
            if producer is self._producer:
                await self.stop()
            raise

    def _batches(self, producer: AIOKafkaProducer, block: BlockId, refusals: Sequence[Refusal]) -> Iterator[Any]:
        batch = producer.create_batch()
        size = 0
        for refusal in refusals:
            key, text = letter(block, refusal, limit=self._limit - _OVERHEAD)
            if size and size + len(text) > min(_BATCH_BYTES, self._limit):
                yield batch
                batch, size = producer.create_batch(), 0
            if batch.append(timestamp=None, key=key, value=text) is None:
                # A batch without room says so by this alone.
                raise MessageSizeTooLargeError(f"a letter of {len(text)} bytes does not fit into a batch")
            size += len(text) + len(key or b"")
        yield batch

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = producer_client(
                    self._settings,
                    client_id="warroom-ingest",
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=MAX_LETTER_BYTES,
                    max_batch_size=MAX_LETTER_BYTES,
                    request_timeout_ms=15_000,
                )
                try:
                    async with asyncio.timeout(_SEND_SECONDS):
                        await producer.start()
                except BaseException:
                    async with asyncio.timeout(_STOP_SECONDS):
                        await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _already_there(self, block: BlockId) -> set[int]:
        """Offsets of the block's records that have a letter.

        The topic is read from when the block was opened, or from its start where that is not known.
        """
        found: set[int] = set()
        # Only a letter of the block holds this, or one that quotes it.
        mark = f'"topic":"{block.topic}","partition":{block.partition},"offset":'.encode()
        # After a clock ran ahead blocks are opened later than it is, and nobody knows when they really were.
        since = block.opened_at - _CLOCK_MARGIN_MS if block.opened_at <= self._clock() else 0
        async with self._reader(since) as (consumer, ends):
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                async with asyncio.timeout(_SEARCH_SECONDS):
                    fetched = await consumer.getmany(timeout_ms=200)
                found.update(
                    offset
                    for chunks in fetched.values()
                    for chunk in chunks
                    for value in chunk.values
                    if value is not None and mark in value and (offset := source(value, block)) is not None
                )
        logger.info(
            "dead letters of the block found",
            extra={"topic": block.topic, "partition": block.partition, "letters": len(found)},
        )
        return found

    @asynccontextmanager
    async def _reader(self, since: int) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[TopicPartition, int]]]:
        """A consumer at the first letters sent since a moment in epoch milliseconds, and the ends it has to reach."""
        consumer = consumer_client(
            self._settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_LETTER_BYTES,
        )
        try:
            async with asyncio.timeout(_SEARCH_SECONDS):
                producer = await self._connected()
                await consumer.start()
                # As chunks, which inflate within a bound: others may write to this topic as well.
                use_chunks(consumer)
                numbers = await producer.partitions_for(self._topic)
                partitions = [TopicPartition(self._topic, number) for number in numbers]
                consumer.assign(partitions)
                ends = await consumer.end_offsets(partitions)
                starts = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
            for partition in partitions:
                if starts.get(partition) is not None:
                    consumer.seek(partition, starts[partition].offset)
                else:
                    ends[partition] = 0
            yield consumer, {partition: end for partition, end in ends.items() if end > 0}
        finally:
            await consumer.stop()


def source(text: bytes, block: BlockId) -> int | None:
    """The offset that a letter is about, when it is about a record of the block; None for any other.

    The block's moment tells it from a letter about the same offset in an earlier life of the topic's log.
    """
    try:
        fields = json.loads(text)
        offset = fields["offset"]
        if (fields["topic"], fields["partition"]) != (block.topic, block.partition):
            return None
        if fields["received_at"] != received_at(block):
            return None
        return offset if isinstance(offset, int) and block.start <= offset < block.end else None
    except (ValueError, KeyError, TypeError):
        return None
