"""What happens between the assignment of partitions and their first record: offsets read, ids remembered."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from aiokafka import TopicPartition

from services.common import prometheus
from services.common.clock import Clock
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import StorePool
from services.ingest.block import BlockLimits
from services.ingest.consumer import GroupConsumer
from services.ingest.duplicates import DuplicateFilter, FilterMemory
from services.ingest.history import Arrivals, History
from services.ingest.lane import Lane
from services.ingest.protocol import Replay, Resume, new_incarnation, on_assignment
from services.ingest.runs import run_decoder

logger = logging.getLogger(__name__)

_NOTHING = Arrivals({}, 0)


@dataclass(frozen=True, slots=True)
class _Past:
    """What a partition's filter has to remember: what arrived since a moment in epoch milliseconds."""

    since: int
    arrivals: Arrivals

    @property
    def rows(self) -> int:
        return self.arrivals.since(self.since)


class Restorer:
    """Makes lanes of assigned partitions."""

    def __init__(self, settings: Settings, store: StorePool, clock: Clock) -> None:
        currencies = {settings.reporting_currency: Decimal(1), **settings.currency_rates}
        self._kinds = {settings.topics[kind]: kind for kind in EVENT_KINDS}
        self._decoders = {kind: run_decoder(kind, currencies) for kind in EVENT_KINDS}
        self.histories = {kind: History(store, kind) for kind in EVENT_KINDS}
        self._limits = BlockLimits(settings.batch_max_rows, settings.batch_max_bytes, settings.batch_max_age_ms)
        self._horizon_ms = settings.duplicate_horizon_hours * 3_600_000
        self._clock = clock

    async def restore(
        self,
        consumer: GroupConsumer,
        partitions: Collection[TopicPartition],
        memory: FilterMemory,
        ready: Callable[[TopicPartition, Lane], None],
    ) -> None:
        """Calls `ready` for each partition as soon as its records may be read.

        Raises `BrokerError` and `StoreError`; partitions that were not yet ready then have to be restored again.
        """
        ids = await consumer.topic_ids()
        if not partitions:
            return
        committed = await consumer.committed(partitions)
        bounds = await consumer.bounds(partitions)
        decisions: dict[TopicPartition, Replay | Resume] = {}
        for partition in sorted(partitions):
            offset, metadata = committed.get(partition, (None, None))
            start, end = bounds[partition]
            decisions[partition] = on_assignment(
                offset,
                metadata,
                log_start=start,
                log_end=end,
                new_incarnation=new_incarnation(ids.get(partition.topic), uuid.uuid4().hex[:8]),
            )
        pasts = await self._pasts(decisions)
        to_come = sum(past.rows for past in pasts.values())
        for partition, decision in decisions.items():
            past = pasts[partition]
            self._tell(partition, decision)
            seen = memory.new_filter(self._horizon_ms, ids=past.rows, of=to_come)
            to_come -= past.rows
            lane = await self._lane(partition, decision, past, seen)
            if consumer.position(partition) != lane.next_offset:
                consumer.seek(partition, lane.next_offset)
            ready(partition, lane)

    async def _pasts(self, decisions: Mapping[TopicPartition, Replay | Resume]) -> dict[TopicPartition, _Past]:
        """What of each partition's past matters: a horizon before the next block is opened."""
        since = {partition: self._since(decision) for partition, decision in decisions.items()}
        pasts = {}
        for topic, kind in self._kinds.items():
            mine = [partition for partition in decisions if partition.topic == topic]
            if not mine:
                continue
            arrivals = await self.histories[kind].arrivals(
                [partition.partition for partition in mine], min(since[partition] for partition in mine)
            )
            for partition in mine:
                pasts[partition] = _Past(since[partition], arrivals.get(partition.partition, _NOTHING))
        return pasts

    def _since(self, decision: Replay | Resume) -> int:
        if isinstance(decision, Replay):
            return decision.opened_at - self._horizon_ms
        # Should the clock be set back, blocks go on from where they were.
        return max(decision.opened_at, self._clock() - self._horizon_ms) - self._horizon_ms

    async def _lane(
        self, partition: TopicPartition, decision: Replay | Resume, past: _Past, seen: DuplicateFilter
    ) -> Lane:
        kind = self._kinds[partition.topic]
        # The rows of a block that is built again may be there already, and are no reason to ask about each of them.
        own = decision.opened_at if isinstance(decision, Replay) else None
        loaded = await self.histories[kind].load(seen, partition.partition, past.arrivals, past.since, besides=own)
        lane = Lane(
            topic=partition.topic,
            partition=partition.partition,
            kind=kind,
            decision=decision,
            limits=self._limits,
            decode=self._decoders[kind],
            seen=seen,
        )
        # More than was recorded only where the broker has lost commits.
        lane.opened_at = max(lane.opened_at, past.arrivals.last)
        logger.log(
            logging.INFO if lane.replay or loaded else logging.DEBUG,
            "partition restored",
            extra={
                "topic": partition.topic,
                "partition": partition.partition,
                "offset": lane.next_offset,
                "replay_end": lane.replay.end if lane.replay else None,
                "ids": loaded,
            },
        )
        return lane

    def _tell(self, partition: TopicPartition, decision: Replay | Resume) -> None:
        if isinstance(decision, Replay):
            prometheus.INGEST_REPLAYS.labels(self._kinds[partition.topic]).inc()
            return
        if decision.missing:
            prometheus.INGEST_MISSING_RECORDS.labels(partition.topic).inc(decision.missing)
        if decision.notice:
            logger.error(
                decision.notice,
                extra={
                    "topic": partition.topic,
                    "partition": partition.partition,
                    "missing": decision.missing,
                },
            )
