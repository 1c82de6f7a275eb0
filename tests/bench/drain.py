"""A child process of the benchmark: bare aiokafka, `getmany` and nothing else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from services.common.settings import EVENT_KINDS, Settings
from tests.bench.meter import Meter
from tests.bench.task import Task, read_task


class Started(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self, broker_pid: int) -> None:
        self.assigned = asyncio.Event()
        self._broker_pid = broker_pid

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        pass

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.meter = Meter(self._broker_pid)
        self.assigned.set()


async def drain(settings: Settings, events: int, broker_pid: int) -> dict[str, float]:
    """Reads so many records and says how fast, from the assignment of the partitions on."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"drain-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    started = Started(broker_pid)
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


async def main(task: Task) -> dict[str, float]:
    """As `ingest`: a smaller backlog goes first and is not counted."""
    await drain(task.warm_settings(), task.warm_events, task.broker_pid)
    return await drain(task.settings(), task.events, task.broker_pid)


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(main(read_task()))).decode())
