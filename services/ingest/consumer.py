"""The consumer group as ingest needs it: chunks, offsets with metadata, and commits that a stale member cannot make.

With a server as its store ingest joins the group and shares the partitions with others. With the embedded store it
takes them all by itself: chDB's directory admits one process only, so there is nobody to share with, and it need not
wait for Kafka to declare a killed predecessor dead. Both ways keep their offsets in the same group.

aiokafka's own `commit` speaks for whatever generation the consumer is in when the request leaves, and repeats it across
a rebalance; a member that was thrown out may even commit without any generation. Here a commit carries the generation
in which its partitions were assigned, so Kafka refuses it once that is over.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest

from services.common.errors import BrokerError
from services.common.kafka import admin_client, consumer_client, topic_ids
from services.common.settings import Settings
from services.ingest.fetched import use_chunks, wait_between_empty_fetches
from services.ingest.records import Chunk

logger = logging.getLogger(__name__)

MOST_CHUNKS = 4
"""A poll returns at most this many chunks."""

_CALL_SECONDS = 15.0
_STOP_SECONDS = 2.0
_STALE = (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError)


class StaleMember(BrokerError):
    """The group has moved on: this member no longer owns the partitions that it wanted to commit."""


class TopicsChanged(BrokerError):
    """The topics are no longer those that were assigned: they have grown, or were created anew."""


@dataclass(frozen=True, slots=True)
class Membership:
    """The group's generation in which partitions were assigned to this member."""

    generation: int
    member: str


ALONE = Membership(-1, "")
"""The membership of who takes the partitions without joining; Kafka refuses its commits while the group has members."""


class GroupConsumer:
    """A member of the consumer group, or its only reader. Must be created and used within one event loop."""

    def __init__(self, settings: Settings, topics: Collection[str], *, empty_fetch_seconds: float) -> None:
        self._topics = list(topics)
        self._empty_fetch_seconds = empty_fetch_seconds
        self._group = settings.consumer_group
        self._alone = settings.embedded_store
        self._counts: dict[str, int] = {}
        self._ids: dict[str, str] | None = None
        self._unseen: set[str] = set()
        self._admin = admin_client(settings)
        self._consumer = consumer_client(
            settings,
            client_id="warroom-ingest",
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            # After a crash the group waits this long for the dead member before it assigns its partitions anew.
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
            rebalance_timeout_ms=10_000,
            # Partitions that wait for the store are not polled on purpose; a hung loop stops the heartbeats as well.
            max_poll_interval_ms=86_400_000,
            max_partition_fetch_bytes=4 << 20,
            # Larger answers cost more, not less: memory that is new to the process, and several copies at a time.
            fetch_max_bytes=16 << 20,
            fetch_max_wait_ms=100,
            # Longer than a rebalance: a join is answered only when all others have joined.
            request_timeout_ms=20_000,
        )

    async def start(self, listener: ConsumerRebalanceListener) -> None:
        """Joins the group or takes all partitions, and tells the listener of what is assigned.

        Raises `BrokerError` when Kafka does not answer.
        """
        try:
            async with asyncio.timeout(60):
                await self._admin.start()
                await self._consumer.start()
                use_chunks(self._consumer)
                wait_between_empty_fetches(self._consumer, self._empty_fetch_seconds)
                if self._alone:
                    await self._take_all(listener)
                else:
                    self._consumer.subscribe(self._topics, listener=listener)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(f"could not join the consumer group: {error!r}") from error

    async def stop(self) -> None:
        """Leaves the group and closes every connection, within 4 s even when Kafka does not answer."""
        for close in (self._consumer.stop, self._admin.close):
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await close()
            except (KafkaError, OSError, TimeoutError) as error:
                logger.warning("connection to Kafka not closed in order", extra={"error": repr(error)})

    async def _take_all(self, listener: ConsumerRebalanceListener) -> None:
        described = await self._admin.describe_topics(self._topics)
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
        self._counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
        self._consumer.assign(partitions)
        await listener.on_partitions_assigned(partitions)

    async def topic_ids(self) -> dict[str, str]:
        """The ids of the topics as they are now, where Kafka gives them any; `check_topics` holds later ones against
        them. Raises `BrokerError`."""
        ids = await self._topic_ids()
        self._ids = ids
        return ids

    async def check_topics(self) -> list[str]:
        """Topics that were deleted, as far as Kafka tells.

        Raises `TopicsChanged` when they have grown since all their partitions were taken, were created anew since
        `topic_ids`, or are there while aiokafka takes them for deleted. Begin anew then; aiokafka itself would see a
        new topic only minutes later, and never that it is another. Raises `BrokerError` when Kafka does not answer.
        """
        for topic, count in self._counts.items():
            known = self._consumer.partitions_for_topic(topic)
            if known is not None and len(known) != count:
                raise TopicsChanged(f"{topic} has {len(known)} partitions now, {count} before")
        if self._ids is None:
            return []
        now = await self._topic_ids()
        anew = [topic for topic, topic_id in now.items() if self._ids.get(topic) != topic_id]
        if anew:
            raise TopicsChanged(f"{', '.join(anew)} was deleted and created anew")
        # The group shared its partitions out while there was no topic, and the ids were read when it was there again.
        # Seen twice, for a broker that has just started may not know yet what another knows.
        unseen = {topic for topic in now if not self._consumer.partitions_for_topic(topic)}
        unseen, self._unseen = unseen & self._unseen, unseen
        if unseen:
            raise TopicsChanged(f"{', '.join(sorted(unseen))} was created after the partitions were assigned")
        return [topic for topic in self._topics if topic not in now] if now else []

    async def _topic_ids(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await topic_ids(self._admin, self._topics)
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"could not read the ids of the topics: {error!r}") from error

    @property
    def membership(self) -> Membership:
        """The generation that the member is in; -1 when it was thrown out and has not joined again."""
        if self._alone:
            return ALONE
        coordinator: Any = self._consumer._coordinator
        return Membership(coordinator.generation, coordinator.member_id)

    async def poll(
        self, partitions: Collection[TopicPartition], timeout_ms: int, most: int = MOST_CHUNKS
    ) -> dict[TopicPartition, list[Chunk]]:
        """At most so many chunks of some of the partitions named, none when nothing comes in time.

        The data of partitions that are not named stays where it is. Raises `BrokerError` when the consumer cannot go
        on, e.g. because the log no longer has the position of a partition.
        """
        try:
            if not partitions:
                coordinator: Any = self._consumer._coordinator
                coordinator.check_errors()
                await asyncio.sleep(timeout_ms / 1000)
                return {}
            # During a rebalance aiokafka waits without a limit of its own.
            async with asyncio.timeout(timeout_ms / 1000 + 1):
                fetched: dict[TopicPartition, list[Chunk]] = await self._consumer.getmany(
                    *partitions, timeout_ms=timeout_ms, max_records=most
                )
                return fetched
        except TimeoutError:
            return {}
        except KafkaError as error:
            raise BrokerError(f"the consumer failed: {error!r}") from error

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next records polled of an assigned partition begin at `offset`."""
        self._consumer.seek(partition, offset)

    def position(self, partition: TopicPartition) -> int | None:
        """Where the next poll of the partition begins; None when that is not known."""
        assignment: Any = self._consumer._subscription.subscription.assignment
        state = assignment.state_value(partition) if assignment else None
        return state.position if state is not None and state.has_valid_position else None

    async def committed(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, str]]:
        """The group's committed offsets with their metadata; partitions without one are absent."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                found = await self._admin.list_consumer_group_offsets(self._group, partitions=list(partitions))
        except (KafkaError, AttributeError, TimeoutError) as error:
            # aiokafka 0.14 raises AttributeError where it means to report a partition's error.
            raise BrokerError(f"could not read the committed offsets: {error!r}") from error
        return {partition: (held.offset, held.metadata or "") for partition, held in found.items() if held.offset >= 0}

    async def bounds(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """First offset held and the one after the last, by partition."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                starts = await self._consumer.beginning_offsets(list(partitions))
                ends = await self._consumer.end_offsets(list(partitions))
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"could not read the bounds of the log: {error!r}") from error
        return {partition: (starts[partition], ends[partition]) for partition in partitions}

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record that may be read, by partition. Raises `BrokerError`."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(partitions))
                return ends
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(f"could not read the end of the log: {error!r}") from error

    async def commit(self, membership: Membership, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Commits offsets with metadata in the name of a generation.

        Raises `StaleMember` when the group is in another by now. Anything else is tried again until it succeeds, so
        the caller bounds the time.
        """
        topics: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for partition, (offset, metadata) in offsets.items():
            topics[partition.topic].append((partition.partition, offset, metadata))
        request = OffsetCommitRequest(
            self._group,
            membership.generation,
            membership.member,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            list(topics.items()),
        )
        if membership.generation < 0 and not self._alone:
            raise StaleMember("this member is in no generation of the group")
        backoff = 0.05
        while True:
            error = await self._send(request)
            if error is None:
                return
            if isinstance(error, _STALE):
                raise StaleMember(f"the group has moved on: {error!r}")
            logger.warning("commit failed, trying again", extra={"error": repr(error)})
            await asyncio.sleep(backoff * random.uniform(0.5, 1.5))
            backoff = min(2.0, backoff * 2)

    async def _send(self, request: OffsetCommitRequest) -> KafkaError | None:
        coordinator: Any = self._consumer._coordinator
        try:
            await coordinator.ensure_coordinator_known()
            response = await coordinator._send_req(request)
        except KafkaError as error:
            return error
        codes = {code for _, partitions in response.topics for _, code in partitions if code}
        errors = [for_code(code)() for code in codes]
        stale = [error for error in errors if isinstance(error, _STALE)]
        if errors and not stale:
            coordinator.coordinator_dead()
        return next(iter(stale or errors), None)
