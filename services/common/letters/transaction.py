"""The right to send letters back, and the Kafka transactions in which that happens.

Whoever opens a `Dispatch` takes the right from everybody before: Kafka ends the open transaction of the earlier holder
and refuses all that it still sends (the same transactional id with an older epoch). Beside the records each transaction
commits the name of its batch as metadata of an offset, so that afterwards Kafka says which batch went out last.
https://kafka.apache.org/documentation/#semantics, KIP-98
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, MessageSizeTooLargeError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from services.common.errors import BrokerError, InvalidRequest
from services.common.kafka import MAX_LETTER_BYTES, admin_client, producer_client
from services.common.letters.place import Place
from services.common.settings import Settings

logger = logging.getLogger(__name__)

HEADER = "warroom-redriven-from"
"""The Kafka header of a record that was sent back: `topic/partition/offset` of the refused one."""

TRANSACTION_SECONDS = 10
"""A transaction that is left open is ended by Kafka after this; until then readers wait at its first record."""

_CALL_SECONDS = 20.0
_STOP_SECONDS = 3.0


class Superseded(BrokerError):
    """Somebody else redrives by now; what was not committed was not sent and never will be."""


@dataclass(frozen=True, slots=True)
class Message:
    """A record to send back to the topic of `origin`, into the same partition while that exists."""

    origin: Place
    key: bytes | None
    value: bytes


class Dispatch:
    """One holder of the right. A failed call ends it: late records of an ended transaction could otherwise become part
    of its next one. Must be used within one event loop."""

    def __init__(self, settings: Settings) -> None:
        name = f"{settings.consumer_group}-redrive"
        self._group = name
        self._slot = TopicPartition(settings.topics["dlq"], 0)
        self._settings = settings
        self._in_transaction = False
        self._producer = producer_client(
            settings,
            client_id="warroom-redrive",
            transactional_id=name,
            transaction_timeout_ms=TRANSACTION_SECONDS * 1000,
            acks="all",
            max_request_size=MAX_LETTER_BYTES,
            request_timeout_ms=15_000,
        )

    async def open(self) -> str | None:
        """Takes the right and returns the batch that was committed last, None when Kafka knows of none.

        Raises `BrokerError`.
        """
        with _translated("could not take the right to redrive"):
            async with asyncio.timeout(_CALL_SECONDS):
                await self._producer.start()
                admin = admin_client(self._settings)
                try:
                    await admin.start()
                    held = await admin.list_consumer_group_offsets(self._group, partitions=[self._slot])
                finally:
                    await admin.close()
        found = held.get(self._slot)
        return found.metadata or None if found is not None and found.offset >= 0 else None

    async def send(self, messages: Sequence[Message]) -> list[Place]:
        """Begins a transaction and returns where its records stand; nobody reads them before `commit`.

        Raises `BrokerError`, and `InvalidRequest` for a record that its topic does not take.
        """
        with _translated("the records were not sent"):
            async with asyncio.timeout(_CALL_SECONDS):
                await self._begin()
                sent = [await self._produce(message) for message in messages]
                found = await asyncio.gather(*sent)
        return [Place(each.topic, each.partition, each.offset) for each in found]

    async def commit(self, batch: str) -> None:
        """Ends the transaction: its records can be read from now on. It may begin with this call, too.

        Raises `Superseded` when it was not committed, and `BrokerError` when that is not known: the next `open` tells.
        """
        with _translated("whether the transaction was committed is not known; run the command again"):
            async with asyncio.timeout(_CALL_SECONDS):
                if not self._in_transaction:
                    await self._begin()
                await self._producer.send_offsets_to_transaction({self._slot: OffsetAndMetadata(0, batch)}, self._group)
                await self._producer.commit_transaction()
                self._in_transaction = False

    async def close(self) -> None:
        """Gives the right up; an open transaction is aborted. Within 6 s, even when Kafka does not answer."""
        # aiokafka refuses to abort what Kafka has ended already.
        try:
            if self._in_transaction and not self._producer._txn_manager.is_fatal_error():
                await self._quietly(self._producer.abort_transaction())
        finally:
            await self._quietly(self._producer.stop())

    async def _begin(self) -> None:
        await self._producer.begin_transaction()
        self._in_transaction = True

    async def _produce(self, message: Message) -> asyncio.Future[Any]:
        origin = message.origin
        known = await self._producer.partitions_for(origin.topic)
        future: asyncio.Future[Any] = await self._producer.send(
            origin.topic,
            message.value,
            key=message.key,
            partition=origin.partition if origin.partition in known else None,
            headers=[(HEADER, str(origin).encode())],
        )
        return future

    async def _quietly(self, call: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await call
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("redrive not closed in order", extra={"error": repr(error)})


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (ProducerFenced, InvalidProducerEpoch) as error:
        raise Superseded(
            "another redrive has begun meanwhile and goes on alone; nothing was sent twice; "
            "run the command again for what is left"
        ) from error
    except MessageSizeTooLargeError as error:
        raise InvalidRequest("letter", "the record is larger than its topic takes") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"{what}: {error!r}") from error
