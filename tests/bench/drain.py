"""A child process of the benchmark: bare aiokafka, `getmany` and nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Iterable

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from services.common.settings import EVENT_KINDS, Settings
from tests.bench.backlog import WARM_UP, WARM_UP_EVENTS
from tests.bench.meter import Meter


class Started(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self) -> None:
        self.assigned = asyncio.Event()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        pass

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.meter = Meter()
        self.assigned.set()


async def drain(settings: Settings, events: int) -> dict[str, float]:
    """Reads so many records and says how fast, from the assignment of the partitions on."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"drain-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    started = Started()
    await consumer.start()
    try:
        consumer.subscribe([settings.topics[kind] for kind in EVENT_KINDS], listener=started)
        await started.assigned.wait()
        left = events
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                left -= len(records)
        return started.meter.result(events)
    finally:
        await consumer.stop()


async def main(bootstrap_servers: str, events: int) -> dict[str, float]:
    """As `ingest`: a smaller backlog goes first and is not counted."""
    settings = Settings(kafka_bootstrap_servers=bootstrap_servers)
    await drain(settings.model_copy(update=WARM_UP), WARM_UP_EVENTS)
    return await drain(settings, events)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(sys.argv[1], int(sys.argv[2])))))
