"""The dead-letter topic: sending what was refused, and finding what a crashed predecessor has already sent."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from services.common.errors import BrokerError
from services.common.kafka import MAX_LETTER_BYTES
from services.common.settings import Settings
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal, letter

logger = logging.getLogger(__name__)

_SEND_SECONDS = 30.0
_SEARCH_SECONDS = 60.0
_STOP_SECONDS = 2.0
_CLOCK_MARGIN_MS = 5 * 60_000
"""How far the clocks of two ingest machines may be apart."""
_OVERHEAD = 512
"""What Kafka's record batch and the key's framing add to a record."""
_SMALLEST_LIMIT = 512 << 10
"""For a topic that was made with a limit below ours: a letter without its value always fits."""


class DeadLetterTopic:
    """Produces refusals with acks from all replicas. Must be created and used within one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topics["dlq"]
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            client_id="warroom-ingest",
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=MAX_LETTER_BYTES,
            max_batch_size=1 << 20,
            request_timeout_ms=15_000,
        )

    async def start(self) -> None:
        """Connects. Raises `BrokerError`."""
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(f"could not start the dead-letter producer: {error!r}") from error

    async def stop(self) -> None:
        """Closes the connections within 2 s; what was not acknowledged may or may not arrive."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._producer.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("dead-letter producer not closed in order", extra={"error": repr(error)})

    async def send(self, block: BlockId, refusals: Sequence[Refusal], *, again: bool) -> None:
        """As `writer.Letters`."""
        try:
            if again:
                there = await self._already_there(block)
                refusals = [refusal for refusal in refusals if refusal.offset not in there]
            async with asyncio.timeout(_SEND_SECONDS):
                await asyncio.gather(*(self._send(block, refusal) for refusal in refusals))
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"dead letters were not acknowledged: {error!r}") from error

    async def _send(self, block: BlockId, refusal: Refusal) -> None:
        limit = MAX_LETTER_BYTES - _OVERHEAD - len(refusal.key or b"")
        try:
            await self._produce(refusal, letter(block, refusal, limit=limit))
        except MessageSizeTooLargeError:
            await self._produce(refusal, letter(block, refusal, limit=_SMALLEST_LIMIT))

    async def _produce(self, refusal: Refusal, text: bytes) -> None:
        await self._producer.send_and_wait(self._topic, text, key=refusal.key)

    async def _already_there(self, block: BlockId) -> set[int]:
        """Offsets of the block's records that have a letter, by reading the topic from when the block was opened."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_LETTER_BYTES,
        )
        found: set[int] = set()
        try:
            async with asyncio.timeout(_SEARCH_SECONDS):
                await consumer.start()
                numbers = await self._producer.partitions_for(self._topic)
                partitions = [TopicPartition(self._topic, number) for number in numbers]
                consumer.assign(partitions)
                ends = await consumer.end_offsets(partitions)
                starts = await consumer.offsets_for_times(dict.fromkeys(partitions, block.opened_at - _CLOCK_MARGIN_MS))
                for partition in partitions:
                    if starts.get(partition) is not None:
                        consumer.seek(partition, starts[partition].offset)
                    else:
                        ends[partition] = 0
                while any([end > 0 and await consumer.position(partition) < end for partition, end in ends.items()]):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found.update(
                            offset for record in records if (offset := _source(record.value, block)) is not None
                        )
        finally:
            await consumer.stop()
        logger.info(
            "dead letters of the block found",
            extra={"topic": block.topic, "partition": block.partition, "letters": len(found)},
        )
        return found


def _source(text: bytes | None, block: BlockId) -> int | None:
    """The offset that a letter is about, when it is about a record of the block."""
    try:
        fields = json.loads(text or b"")
        offset = fields["offset"]
        if (fields["topic"], fields["partition"]) != (block.topic, block.partition):
            return None
        return offset if isinstance(offset, int) and block.start <= offset < block.end else None
    except (ValueError, KeyError, TypeError):
        return None
