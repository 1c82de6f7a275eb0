"""Runs the real ingest service against the real broker and store of the test run."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.common.settings import Settings
from services.common.store import Store
from services.ingest.service import IngestService
from tests.support.broker import unique
from tests.support.kafka import KafkaServer
from tests.support.waiting import until

Record = tuple[str, bytes | None, bytes | None]
"""Kind, key, value."""


def settings_for(broker: KafkaServer, **changes: Any) -> Settings:
    """Settings with topics and a consumer group that no other test has.

    They name no store, so ingest joins the group as it does before a ClickHouse server; `clickhouse_url="chdb:///x"`
    makes it take all partitions by itself.
    """
    prefix = unique("t") + "."
    return Settings(
        **{
            "kafka_bootstrap_servers": broker.bootstrap_servers,
            "topic_prefix": prefix,
            "consumer_group": prefix + "ingest",
            "topic_partitions": 2,
            "batch_max_age_ms": 100,
            **changes,
        }
    )


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def traffic(campaign: str, **fields: Any) -> dict[str, Any]:
    """A valid page view with an id of its own."""
    return {
        "event_id": uuid.uuid4().hex,
        "event_name": "page_view",
        "event_time": now_text(),
        "campaign_id": campaign,
        "user_id": "u1",
        **fields,
    }


def order(campaign: str, **fields: Any) -> dict[str, Any]:
    """A valid paid order with an id of its own."""
    return {
        "event_id": uuid.uuid4().hex,
        "event_name": "order_paid",
        "event_time": now_text(),
        "campaign_id": campaign,
        "user_id": "u1",
        "order_id": uuid.uuid4().hex,
        "value": "19.90",
        "currency": "CNY",
        **fields,
    }


_KEYS = {
    "traffic": "user_id",
    "orders": "order_id",
    "coupons": "coupon_id",
    "inventory": "item_id",
    "spend": "channel",
}


def record(kind: str, event: dict[str, Any]) -> Record:
    """The record of an event, with the contract's key."""
    return kind, str(event.get(_KEYS[kind], "unknown")).encode(), json.dumps(event).encode()


def told_otherwise(sent: Record) -> Record:
    """The same event, by its id, at another time."""
    kind, _, value = sent
    return record(kind, {**json.loads(value or b""), "event_time": "2026-01-01T00:00:00Z"})


async def produce(settings: Settings, records: Iterable[Record]) -> None:
    """Returns when Kafka has them all."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", max_request_size=4 << 20, linger_ms=5
    )
    await producer.start()
    try:
        sent = [await producer.send(settings.topics[kind], value, key=key) for kind, key, value in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def read_letters(settings: Settings, at_least: int = 0) -> list[tuple[bytes | None, dict[str, Any]]]:
    """Every dead letter in the topic with its key, when there are so many.

    On a busy machine the embedded broker may show what it has acknowledged a moment later.
    """
    topic = settings.topics["dlq"]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        async with asyncio.timeout(60):
            while (left := sum((await consumer.end_offsets(partitions)).values())) < at_least:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        letters = []
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                left -= len(records)
                letters += [(record.key, json.loads(record.value)) for record in records]
        return letters
    finally:
        await consumer.stop()


@asynccontextmanager
async def running(settings: Settings, store: Store) -> AsyncIterator[IngestService]:
    """An ingest service that is ready; stopped in order at the end."""
    service = IngestService(settings, store)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        await until(lambda: service.not_ready() is None or task.done())
        yield service
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await task


def progress(store: Store, settings: Settings) -> dict[tuple[str, int], dict[str, Any]]:
    """What ingest says of itself, by topic and partition."""
    rows = store.query(
        "SELECT * FROM ingest_progress FINAL WHERE startsWith(topic, {prefix:String})",
        {"prefix": settings.topic_prefix},
    )
    return {(row["topic"], row["kafka_partition"]): row for row in rows}


def handled(store: Store, settings: Settings) -> int:
    """How many records are in the tables or among the dead letters, by what ingest says."""
    return sum(row["next_offset"] for row in progress(store, settings).values())


async def until_handled(store: Store, settings: Settings, records: Sequence[Record], seconds: float = 150.0) -> None:
    """Waits until ingest says that it has dealt with this many records."""
    await until(lambda: handled(store, settings) >= len(records), seconds)
