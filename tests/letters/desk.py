"""Letters of the real ingest in the real store, and the means to send them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.clock import wall_clock
from services.common.letters import Letter, LetterBook, Redriver, Request, Result, Selection
from services.common.letters.transaction import Dispatch
from services.common.settings import Settings
from services.common.store import Store, StorePool
from tests.ingest.harness import Record, produce, running, until_handled


class Desk:
    """A book and a redriver with the same settings."""

    def __init__(self, settings: Settings, store: Store, dispatch: type[Dispatch] = Dispatch) -> None:
        self.settings = settings
        self.pool = StorePool(store, threads=2, name="letters")
        self.book = LetterBook(self.pool)
        self.redriver = Redriver(settings, self.pool, wall_clock, dispatch)

    async def letters(self, **chosen: Any) -> list[Letter]:
        """Every letter of these settings' topics, the oldest first."""
        found = await self.book.page(Selection(**chosen), limit=10_000, newest_first=False)
        return [letter for letter in found if letter.place.topic.startswith(self.settings.topic_prefix)]

    async def redrive(self, *letters: Letter, **how: Any) -> list[Result]:
        """What becomes of these letters."""
        report = await self.redriver.redrive(Request(places=[letter.place for letter in letters], **how))
        return report.results


@asynccontextmanager
async def desk_of(settings: Settings, store: Store, dispatch: type[Dispatch] = Dispatch) -> AsyncIterator[Desk]:
    """A desk whose threads end with the block."""
    desk = Desk(settings, store, dispatch)
    try:
        yield desk
    finally:
        await desk.pool.close()


async def carry(settings: Settings, store: Store, records: list[Record], before: int = 0) -> None:
    """Produces the records and runs ingest until they are dealt with, and `before` earlier ones."""
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, [*records, *[("traffic", None, None)] * before])


async def read(settings: Settings, kind: str) -> list[Any]:
    """Every committed record of a topic."""
    topic = settings.topics[kind]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return found
    finally:
        await consumer.stop()
