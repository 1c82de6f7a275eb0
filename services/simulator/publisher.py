"""The way into Kafka: idempotent, acknowledged by all replicas, with a bound on what is on its way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.common.errors import BrokerError
from services.common.kafka import admin_client, producer_client
from services.common.kafka.trouble import trouble
from services.common.settings import EVENT_KINDS, Settings
from services.simulator.patience import attempts
from services.simulator.timeline import Record

logger = logging.getLogger(__name__)

_WAIT_SECONDS = 90.0
_REQUEST_SECONDS = 15.0


class Publisher:
    """Sends records to the topics of their kinds. Never creates a topic: their owner chooses the partitions."""

    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        assert settings.kafka_bootstrap_servers is not None
        self._settings = settings
        self._servers = settings.kafka_bootstrap_servers
        self._topics = {kind: settings.topics[kind] for kind in EVENT_KINDS}
        self._stop = stop
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Waits for the broker and the five topics, up to a minute and a half. Raises `BrokerError`."""
        missing = sorted(self._topics.values())
        async for last in attempts(_WAIT_SECONDS, self._stop):
            try:
                missing = await self._missing_topics()
            except (KafkaError, OSError, TimeoutError) as error:
                if last:
                    why = await trouble(self._settings) or str(error)
                    raise BrokerError(f"no Kafka at {self._servers}: {why}") from error
                continue
            if not missing:
                await self._connect()
                return
            if last:
                raise BrokerError(
                    f"topics {', '.join(missing)} do not exist at {self._servers}; "
                    "`warroom standalone` and `warroom ingest` create them"
                )

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns when every record is acknowledged. What fails is sent again with its own `event_id`.

        The caller bounds what is on its way by the number of records. Raises `BrokerError` after a minute and
        a half without success.
        """
        left = list(records)
        async for last in attempts(_WAIT_SECONDS, self._stop):
            left = await self._send(left)
            if not left:
                return
            logger.warning("records were not acknowledged", extra={"records": len(left)})
            if last:
                raise BrokerError(f"Kafka at {self._servers} does not acknowledge records")
            # An idempotent producer that gave up on a record cannot go on: its sequence has a hole.
            await self._disconnect()

    async def close(self) -> None:
        """Sends what is left within some seconds and closes the connection."""
        await self._disconnect()

    async def _send(self, records: list[Record]) -> list[Record]:
        try:
            producer = self._producer or await self._connect()
            async with asyncio.timeout(_REQUEST_SECONDS):
                sent = [await producer.send(self._topics[record.kind], record.value, record.key) for record in records]
                outcomes = await asyncio.gather(*sent, return_exceptions=True)
        except (KafkaError, OSError, TimeoutError):
            return records
        failed = []
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                if not isinstance(outcome, (KafkaError, OSError, TimeoutError)):
                    raise outcome
                failed.append(record)
        return failed

    async def _connect(self) -> AIOKafkaProducer:
        producer = producer_client(
            self._settings,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=256 << 10,
            request_timeout_ms=int(_REQUEST_SECONDS * 1000),
        )
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return producer

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(5):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError):
            logger.warning("the producer did not close in time")

    async def _missing_topics(self) -> list[str]:
        admin = admin_client(self._settings, request_timeout_ms=5_000)
        try:
            async with asyncio.timeout(10):
                await admin.start()
                present = set(await admin.list_topics())
        finally:
            await admin.close()
        return sorted(set(self._topics.values()) - present)
