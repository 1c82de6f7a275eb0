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
from services.common.people import PersonKey
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import StorePool
from services.ingest.block import BlockLimits
from services.ingest.consumer import GroupConsumer
from services.ingest.duplicates import FilterMemory
from services.ingest.history import Arrivals, History
from services.ingest.lane import Lane
from services.ingest.people import discreet
from services.ingest.protocol import Replay, Resume, matters_since, new_incarnation, on_assignment
from services.ingest.runs import run_decoder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Past:
    """What some partitions of one kind have to remember: what arrived since a moment in epoch milliseconds."""

    kind: str
    decisions: Mapping[TopicPartition, Replay | Resume]
    since: int
    arrivals: Mapping[int, Arrivals]

    @property
    def rows(self) -> int:
        return sum(map(self.rows_of, self.decisions))

    def rows_of(self, partition: TopicPartition) -> int:
        arrivals = self.arrivals.get(partition.partition)
        return arrivals.since(self.since) if arrivals is not None else 0


class Restorer:
    """Makes lanes of assigned partitions."""

    def __init__(self, settings: Settings, store: StorePool, clock: Clock, key: PersonKey | None) -> None:
        """`key` is as for `discreet`."""
        currencies = {settings.reporting_currency: Decimal(1), **settings.currency_rates}
        self._kinds = {settings.topics[kind]: kind for kind in EVENT_KINDS}
        self._decoders = {kind: discreet(run_decoder(kind, currencies), key) for kind in EVENT_KINDS}
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
        pasts = [
            await self._past(kind, {each: decisions[each] for each in decisions if each.topic == topic})
            for topic, kind in self._kinds.items()
        ]
        to_come = sum(past.rows for past in pasts)
        for past in pasts:
            for partition, lane in (await self._lanes(past, memory, to_come)).items():
                self._tell(partition, decisions[partition], lane)
                if consumer.position(partition) != lane.next_offset:
                    consumer.seek(partition, lane.next_offset)
                ready(partition, lane)
            to_come -= past.rows

    async def _past(self, kind: str, decisions: Mapping[TopicPartition, Replay | Resume]) -> _Past:
        now = self._clock()
        since = min((matters_since(each, now, self._horizon_ms) for each in decisions.values()), default=0)
        numbers = [partition.partition for partition in decisions]
        arrivals = await self.histories[kind].arrivals(numbers, since) if numbers else {}
        return _Past(kind, decisions, since, arrivals)

    async def _lanes(self, past: _Past, memory: FilterMemory, to_come: int) -> dict[TopicPartition, Lane]:
        filters = {}
        for partition in past.decisions:
            rows = past.rows_of(partition)
            filters[partition.partition] = memory.new_filter(self._horizon_ms, ids=rows, of=to_come)
            to_come -= rows
        # The rows of a block that is built again may be there already, and are no reason to ask about each of them.
        own = {
            partition.partition: decision.opened_at
            for partition, decision in past.decisions.items()
            if isinstance(decision, Replay)
        }
        await self.histories[past.kind].load(filters, past.arrivals, past.since, besides=own)
        lanes = {}
        for partition, decision in past.decisions.items():
            lane = lanes[partition] = Lane(
                topic=partition.topic,
                partition=partition.partition,
                kind=past.kind,
                decision=decision,
                limits=self._limits,
                decode=self._decoders[past.kind],
                seen=filters[partition.partition],
            )
            if partition.partition in past.arrivals:
                # More than was recorded only where the broker has lost commits.
                lane.opened_at = max(lane.opened_at, past.arrivals[partition.partition].last)
        return lanes

    def _tell(self, partition: TopicPartition, decision: Replay | Resume, lane: Lane) -> None:
        logger.log(
            logging.INFO if lane.replay else logging.DEBUG,
            "partition restored",
            extra={
                "topic": partition.topic,
                "partition": partition.partition,
                "offset": lane.next_offset,
                "replay_end": lane.replay.end if lane.replay else None,
            },
        )
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
