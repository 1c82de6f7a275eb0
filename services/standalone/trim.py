"""Keeps the embedded broker small: it holds every record in memory and rewrites them all when it saves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.common.kafka import admin_client
from services.common.settings import EVENT_KINDS, Settings

logger = logging.getLogger(__name__)

KEEP_RECORDS = 50_000
"""What stays of each partition behind the committed offset, for people who look and for other consumers."""

STEP_RECORDS = 10_000
"""Fewer are not worth a call."""

_CALL_MS = 5_000


@dataclass(frozen=True, slots=True)
class PartitionState:
    """Offsets of one partition; each names the next record, as Kafka counts."""

    start: int
    """The oldest record that the broker still holds, as far as we know."""
    committed: int
    """The consumer group's offset; negative when it has none."""


def trim_before(state: PartitionState, *, keep: int, step: int) -> int | None:
    """The offset before which records may go, None when nothing is to be done.

    Never beyond what the group has committed less `keep`: a record that was not committed is read again after a crash.
    """
    before = state.committed - keep
    return before if before - max(state.start, 0) >= step else None


class Trimmer:
    """Deletes from the five event topics what the ingest group has long read; the dead letters stay."""

    def __init__(
        self,
        settings: Settings,
        *,
        keep: int = KEEP_RECORDS,
        step: int = STEP_RECORDS,
    ) -> None:
        self._settings = settings
        self._topics = {settings.topics[kind] for kind in EVENT_KINDS}
        self._group = settings.consumer_group
        self._keep = keep
        self._step = step
        self._starts: dict[TopicPartition, int] = {}

    async def trim(self) -> dict[TopicPartition, int]:
        """One round; returns the offset before which each partition's records went.

        A broker that does not answer is left for the next round.
        """
        admin = admin_client(self._settings, request_timeout_ms=_CALL_MS)
        try:
            async with asyncio.timeout(2 * _CALL_MS / 1000):
                await admin.start()
                try:
                    return await self._trim(admin)
                finally:
                    await admin.close()
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("broker was not trimmed", extra={"error": repr(error)})
            return {}

    async def _trim(self, admin: AIOKafkaAdminClient) -> dict[TopicPartition, int]:
        committed: Mapping[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(self._group)
        bounds = {}
        for partition, offset in committed.items():
            if partition.topic not in self._topics:
                continue
            state = PartitionState(self._starts.get(partition, 0), offset.offset)
            before = trim_before(state, keep=self._keep, step=self._step)
            if before is not None:
                bounds[partition] = before
        if not bounds:
            return {}
        await admin.delete_records(
            {partition: RecordsToDelete(before_offset=before) for partition, before in bounds.items()},
            timeout_ms=_CALL_MS,
        )
        self._starts.update(bounds)
        logger.debug("broker trimmed", extra={"partitions": len(bounds)})
        return bounds
