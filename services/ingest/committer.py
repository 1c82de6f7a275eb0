"""Commits of several partitions that come together leave in one request."""

from __future__ import annotations

import asyncio
import time

from aiokafka import TopicPartition

from services.common import prometheus
from services.ingest.consumer import GroupConsumer, Membership, StaleMember
from services.ingest.protocol import Checkpoint


class Committer:
    """The commits of one membership of the group. Close it before the membership ends."""

    def __init__(self, consumer: GroupConsumer, membership: Membership) -> None:
        self._consumer = consumer
        self._membership = membership
        self._waiting: dict[TopicPartition, tuple[Checkpoint, asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def commit(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        """Returns when Kafka has it. One call at a time for a partition.

        Raises `StaleMember` when the group has moved on or the committer is closed.
        """
        if self._closed:
            raise StaleMember("the partitions were given up")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[TopicPartition(topic, partition)] = (checkpoint, done)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="ingest-commit")
        await done

    async def close(self) -> None:
        """Fails what waits. What Kafka is being told may or may not arrive."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        batch: dict[TopicPartition, tuple[Checkpoint, asyncio.Future[None]]] = {}
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                started = time.perf_counter()
                await self._consumer.commit(
                    self._membership,
                    {
                        partition: (checkpoint.start, checkpoint.encode())
                        for partition, (checkpoint, _) in batch.items()
                    },
                )
                prometheus.INGEST_COMMIT_SECONDS.observe(time.perf_counter() - started)
                for _, done in batch.values():
                    if not done.done():
                        done.set_result(None)
            self._task = None
        except BaseException as error:
            # Whatever ends the task, nobody may wait for it in vain.
            self._closed = True
            stale = error if isinstance(error, StaleMember) else StaleMember("the partitions were given up")
            for _, done in (*batch.values(), *self._waiting.values()):
                if not done.done():
                    done.set_exception(stale)
                    done.exception()
            if not isinstance(error, StaleMember):
                raise
