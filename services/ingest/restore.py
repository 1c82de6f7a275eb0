"""What happens between the assignment of partitions and their first record: offsets read, ids remembered."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection
from decimal import Decimal

from aiokafka import TopicPartition

from services.common import prometheus
from services.common.clock import Clock
from services.common.decode import Decoder
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import StorePool
from services.ingest.block import BlockLimits
from services.ingest.consumer import GroupConsumer
from services.ingest.duplicates import DuplicateFilter
from services.ingest.history import Arrivals, History
from services.ingest.lane import Lane
from services.ingest.protocol import Replay, Resume, new_incarnation, on_assignment

logger = logging.getLogger(__name__)

_FOREVER = 1 << 62
_NOTHING = Arrivals({}, 0)


class Restorer:
    """Makes lanes of assigned partitions."""

    def __init__(self, settings: Settings, store: StorePool, clock: Clock) -> None:
        currencies = {settings.reporting_currency: Decimal(1), **settings.currency_rates}
        self._kinds = {settings.topics[kind]: kind for kind in EVENT_KINDS}
        self._decoders = {kind: Decoder(kind, currencies) for kind in EVENT_KINDS}
        self._histories = {kind: History(store, kind) for kind in EVENT_KINDS}
        self._limits = BlockLimits(settings.batch_max_rows, settings.batch_max_bytes, settings.batch_max_age_ms)
        self._horizon_ms = settings.duplicate_horizon_hours * 3_600_000
        self._clock = clock

    async def restore(
        self,
        consumer: GroupConsumer,
        partitions: Collection[TopicPartition],
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
        for topic, kind in self._kinds.items():
            mine = sorted(partition for partition in partitions if partition.topic == topic)
            if not mine:
                continue
            since = DuplicateFilter(self._horizon_ms).first_remembered(self._clock()) - self._horizon_ms
            arrivals = await self._histories[kind].arrivals([each.partition for each in mine], since)
            for partition in mine:
                offset, metadata = committed.get(partition, (None, None))
                start, end = bounds[partition]
                decision = on_assignment(
                    offset,
                    metadata,
                    log_start=start,
                    log_end=end,
                    new_incarnation=new_incarnation(ids.get(topic), uuid.uuid4().hex[:8]),
                )
                self._tell(partition, decision)
                lane = await self._lane(partition, kind, decision, arrivals.get(partition.partition, _NOTHING))
                if consumer.position(partition) != lane.next_offset:
                    consumer.seek(partition, lane.next_offset)
                ready(partition, lane)

    async def finish_replay(self, lane: Lane) -> None:
        """Remembers what arrived later than the block that has just been replayed, before the lane goes on.

        There is nothing, unless the broker has lost commits.
        """
        history = self._histories[lane.kind]
        arrivals = await history.arrivals([lane.partition], lane.opened_at + 1)
        mine = arrivals.get(lane.partition, _NOTHING)
        await history.load(lane.seen, lane.partition, mine, lane.opened_at + 1, _FOREVER)
        lane.opened_at = max(lane.opened_at, mine.last)

    async def _lane(self, partition: TopicPartition, kind: str, decision: Replay | Resume, arrivals: Arrivals) -> Lane:
        seen = DuplicateFilter(self._horizon_ms)
        if isinstance(decision, Replay):
            # The block must be judged as it was: by what had arrived before it, its own rows left out.
            since, until = seen.first_remembered(decision.opened_at), decision.opened_at
        else:
            since, until = seen.first_remembered(self._clock()), _FOREVER
        loaded = await self._histories[kind].load(seen, partition.partition, arrivals, since, until)
        lane = Lane(
            topic=partition.topic,
            partition=partition.partition,
            kind=kind,
            decision=decision,
            limits=self._limits,
            decode=self._decoders[kind].decode,
            seen=seen,
        )
        if lane.replay is None:
            lane.opened_at = max(lane.opened_at, arrivals.last)
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
