"""Puts a backlog into Kafka."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from services.common.settings import Settings

BACKLOG_SECONDS = 60
"""The festival time that a backlog covers: with 300,000 events, the 5,000 events/s of a large shop's peak."""

PARTITIONS = 1
"""Of each topic, as in the embedded system."""

WARM_UP = {"topic_prefix": "warm."}
WARM_UP_EVENTS = 20_000
"""A backlog of its own that each measured process works off first."""


async def fill(settings: Settings, records: Iterable[tuple[str, bytes, bytes]]) -> int:
    """Produces kind, key and value in order; returns the bytes of the values when Kafka has them all."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", linger_ms=20, max_batch_size=256 << 10
    )
    await producer.start()
    size = 0
    try:
        for kind, key, value in records:
            await producer.send(settings.topics[kind], value, key=key)
            size += len(value)
        await producer.flush()
    finally:
        await producer.stop()
    return size
