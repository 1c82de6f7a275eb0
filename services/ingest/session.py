"""One membership of the consumer group, from joining to leaving: reads, stages, writes, hands over."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Collection, Iterable, Mapping

from aiokafka import ConsumerRebalanceListener, TopicPartition

from services.common import prometheus, tracing
from services.common.clock import Clock
from services.common.errors import BrokerError, StoreError
from services.common.people import PersonKey
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import StorePool
from services.ingest.block import CATCHING_UP_AGE_MS, Pace
from services.ingest.committer import Committer
from services.ingest.consumer import MOST_CHUNKS, GroupConsumer, StaleMember, TopicsChanged
from services.ingest.duplicates import FilterMemory
from services.ingest.insertion import StoreTables
from services.ingest.lane import Block, Lane
from services.ingest.letters import DeadLetterTopic
from services.ingest.pressure import Demand, Pressure
from services.ingest.progress import Progress
from services.ingest.restore import Restorer
from services.ingest.rhythm import Rhythm
from services.ingest.traces import traced_block
from services.ingest.turns import Turns
from services.ingest.writer import Writer

logger = logging.getLogger(__name__)

WRITERS = 3
"""Blocks that are written at the same time. The others go on growing meanwhile, which makes them cheaper."""

_POLL_MS = 50
_FEW_RECORDS = 2_000
_HAND_OVER_SECONDS = 5.0
_DRAIN_SECONDS = 6.0
_COMMIT_SECONDS = 15.0
"""A broker that is busy, with a flood of letters say, is no reason to begin anew: that would cost it more."""
_LAST_COMMIT_SECONDS = 2.0
"""The same where others wait for the partitions, or for the process to end."""
_RENEW_SECONDS = 3_600.0
"""Kafka forgets an offset that nobody has renewed for a week, unless a group with members reads the topic. Then a
partition that is merely quiet would be read from its start."""


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Works until told to stop or until Kafka ends it. Used once."""

    def __init__(
        self, settings: Settings, store: StorePool, clock: Clock, rhythm: Rhythm, key: PersonKey | None
    ) -> None:
        """`key` is as for `discreet`."""
        self._clock = clock
        self._rhythm = rhythm
        self._pressure = Pressure(settings.max_buffered_bytes)
        self._filter_bytes = settings.duplicate_filter_mb << 20
        self._filters = FilterMemory(self._filter_bytes, 1)
        self._pace = Pace(settings.batch_max_age_ms, rhythm.longest_age_ms)
        self._block_records = settings.batch_max_rows
        self._turns: Turns[TopicPartition] = Turns(WRITERS + 1)
        topics = [settings.topics[kind] for kind in EVENT_KINDS]
        self._consumer = GroupConsumer(settings, topics, empty_fetch_seconds=rhythm.empty_fetch_seconds)
        self._letters = DeadLetterTopic(settings, clock)
        self._restorer = Restorer(settings, store, clock, key)
        self._progress = Progress(store)
        self._tables = StoreTables(store)
        self._committer: Committer | None = None
        self._lanes: dict[TopicPartition, Lane] = {}
        self._writes: dict[TopicPartition, asyncio.Task[None]] = {}
        self._restoring: set[TopicPartition] = set()
        self._restore_task: asyncio.Task[None] | None = None
        self._assigned = False
        self._fetch_began: dict[TopicPartition, int] = {}
        """When the fetch was begun that brought the first records of the open block, while tracing is on."""
        self._caught_up = asyncio.Event()
        self._reporting = asyncio.Lock()
        self._failure: BaseException | None = None
        self._trouble: str | None = None
        self._deleted: list[str] = []

    def not_ready(self) -> str | None:
        """Why not everything that is assigned is being written, as a short sentence; None when it is."""
        if not self._assigned:
            return "waiting for the consumer group to assign partitions"
        if self._trouble is not None:
            return self._trouble
        if self._restoring:
            return f"restoring {len(self._restoring)} partitions"
        if self._deleted:
            return f"{', '.join(self._deleted)} does not exist any more"
        for lane in self._lanes.values():
            if lane.trouble is not None:
                return lane.trouble
        replays = sum(lane.replay is not None for lane in self._lanes.values())
        return f"writing {replays} blocks again after a restart" if replays else None

    async def run(self, stop: asyncio.Event) -> None:
        """Joins the group and works until `stop` is set; then writes what is fetched and leaves.

        Raises `BrokerError` when Kafka cannot be reached or has ended the session; a new one may be begun.
        """
        housekeeping: asyncio.Task[None] | None = None
        try:
            await self._letters.start()
            await self._consumer.start(self)
            housekeeping = asyncio.create_task(self._keep_house(), name="ingest-housekeeping")
            while not stop.is_set():
                if self._failure is not None:
                    raise self._failure
                if housekeeping.done():
                    housekeeping.result()
                await self._turn()
            await self._drain()
        finally:
            lanes = self._take_lanes()
            tasks = [task for task in (housekeeping, self._restore_task) if task is not None]
            await _cancel([*tasks, *self._writes.values()])
            await self._give_up(lanes)
            await self._consumer.stop()
            await self._letters.stop()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by aiokafka, which holds up the heartbeats until this returns: so the work is left to a task."""
        membership = self._consumer.membership
        self._committer = Committer(self._consumer, membership)
        self._restoring = set(assigned)
        self._assigned = True
        logger.info(
            "partitions assigned",
            extra={"partitions": len(self._restoring), "generation": membership.generation},
        )
        self._restore_task = asyncio.create_task(self._restore(), name="ingest-restore")

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called by aiokafka, which would only log what is raised here: so it is kept for the loop to raise."""
        try:
            lanes = self._take_lanes()
            if self._restore_task is not None:
                await _cancel([self._restore_task])
            running = list(self._writes.values())
            if running:
                await asyncio.wait(running, timeout=_HAND_OVER_SECONDS)
            await self._commit_done(lanes, _LAST_COMMIT_SECONDS)
            await _cancel(running)
            await self._give_up(lanes)
        except Exception as error:
            logger.exception("partitions not handed over in order")
            self._failure = error

    def _take_lanes(self) -> dict[TopicPartition, Lane]:
        """From here on nothing is fetched and no block is begun; blocks that are being written go on."""
        lanes, self._lanes = self._lanes, {}
        self._restoring = set()
        self._assigned = False
        return lanes

    def complete_to(self) -> dict[TopicPartition, int]:
        """By partition, the first offset that may hold a record which is not in the tables."""
        return {partition: lane.complete_to for partition, lane in self._lanes.items()}

    async def report(self) -> None:
        """Writes how far each partition has come, as it does once a second anyway. Raises `BrokerError` as `run`."""
        async with self._reporting:
            await self._observe()
            await self._progress.write(self._clock(), dict(self._lanes))

    async def _turn(self) -> None:
        now = began = self._clock()
        count = 0
        wanted = self._wanted(now)
        most = 1 if self._pressure.paused else MOST_CHUNKS
        fetched = await self._consumer.poll(wanted, _POLL_MS, most)
        now = self._clock()
        for partition, chunks in fetched.items():
            lane = self._lanes.get(partition)
            if lane is None:
                continue
            self._turns.brought(partition, now)
            if tracing.is_on():
                self._fetch_began.setdefault(partition, began)
            for chunk in chunks:
                lane.offer(chunk, now)
                count += len(chunk)
                prometheus.INGEST_RECORDS.labels(lane.kind).inc(len(chunk))
        for partition, lane in list(self._lanes.items()):
            if (position := self._consumer.position(partition)) is not None:
                lane.reached(position)
            while lane.has_run() and lane.stage():
                self._write_due()
                await asyncio.sleep(0)
        self._write_due()
        if count < _FEW_RECORDS and sum(map(len, fetched.values())) < MOST_CHUNKS:
            # Many small fetches cost more than they bring.
            await asyncio.sleep(self._rhythm.linger_seconds)

    def _wanted(self, now: int) -> list[TopicPartition]:
        buffered = sum(lane.buffered_bytes for lane in self._lanes.values())
        demands = {
            partition: Demand(lane.buffered_bytes, lane.replay is not None)
            for partition, lane in self._lanes.items()
            if lane.wants(now)
        }
        behind = [each for each in demands if self._is_behind(each, self._lanes[each])]
        for partition in self._turns.waiting(behind, now):
            del demands[partition]
        wanted = self._pressure.wanted(buffered, demands)
        prometheus.INGEST_BUFFERED_BYTES.set(buffered)
        prometheus.INGEST_PAUSED_PARTITIONS.set(len(self._lanes) - len(wanted))
        return wanted

    def _write_due(self, *, all_: bool = False) -> None:
        """Starts writing what is due, the oldest first, as far as writers are free."""
        free = WRITERS - len(self._writes)
        if free <= 0:
            return
        now = self._clock()
        age = self._pace.age_ms(sum(not lane.is_empty for lane in self._lanes.values()))
        due = [
            (lane.opened_since, partition)
            for partition, lane in self._lanes.items()
            if partition not in self._writes
            and (
                lane.is_due(now, self._age_ms(partition, lane, age))
                or (all_ and lane.replay is None and not lane.held and not lane.is_empty)
            )
        ]
        for _, partition in sorted(due)[:free]:
            task = asyncio.create_task(self._write(partition, self._lanes[partition]), name="ingest-write")
            self._writes[partition] = task

    def _is_behind(self, partition: TopicPartition, lane: Lane) -> bool:
        return lane.replay is None and self._progress.is_behind(partition, lane, self._block_records // 2)

    def _age_ms(self, partition: TopicPartition, lane: Lane, age_ms: int) -> int:
        """How old a block is when it is due: with a backlog before it, its records are old already."""
        return max(age_ms, CATCHING_UP_AGE_MS) if self._is_behind(partition, lane) else age_ms

    async def _write(self, partition: TopicPartition, lane: Lane) -> None:
        assert self._committer is not None
        try:
            while lane.stage():  # noqa: ASYNC110  # work in portions, not a wait
                await asyncio.sleep(0)
            if self._lanes.get(partition) is not lane:
                return
            started = time.perf_counter()
            block = lane.seal(self._clock())
            self._turns.ended(partition)
            writer = Writer(self._committer, self._letters, self._tables, self._restorer.histories)
            with traced_block(block, self._fetch_began.pop(partition, None), self._clock()):
                await writer.write(lane, block)
            lane.done(self._clock())
            _count(block)
            if block.records < _FEW_RECORDS:
                self._pace.wrote((time.perf_counter() - started) * 1000)
            if self._progress.has_caught_up(partition, lane):
                self._caught_up.set()
        except StaleMember as error:
            logger.info(
                "block left to the partition's new owner",
                extra={"topic": lane.topic, "partition": lane.partition, "reason": str(error)},
            )
            # No other block of the lane may be begun; the rebalance that follows drops it.
            lane.held = True
        except Exception as error:
            self._failure = error
        finally:
            del self._writes[partition]
            self._write_due()

    async def _restore(self) -> None:
        def ready(partition: TopicPartition, lane: Lane) -> None:
            self._lanes[partition] = lane
            self._restoring.discard(partition)

        self._filters = memory = FilterMemory(self._filter_bytes, len(self._restoring))
        pause = 0.1
        while True:
            try:
                # Without partitions too: what a member that has none knows of the topics tells when there are others.
                await self._restorer.restore(self._consumer, set(self._restoring), memory, ready)
                self._trouble = None
                return
            except (BrokerError, StoreError) as error:
                self._trouble = f"partitions cannot be restored: {error}"
                logger.warning("partitions not restored, trying again", extra={"error": str(error)})
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(5.0, pause * 2)
            except Exception as error:
                self._failure = error
                return

    async def _keep_house(self) -> None:
        """Once a second, and when the last known record is in: progress is written; offsets of quiet partitions are
        committed."""
        loop = asyncio.get_running_loop()
        every = self._rhythm.progress_seconds
        observed = 0.0
        renewed = loop.time()
        while True:
            if loop.time() - renewed >= _RENEW_SECONDS:
                renewed = loop.time()
                for lane in self._lanes.values():
                    lane.committed = None
            async with self._reporting:
                if loop.time() - observed >= every and self._assigned and not self._restoring:
                    observed = loop.time()
                    await self._observe()
                    await self._commit_done(self._lanes)
                self._caught_up.clear()
                await self._progress.write(self._clock(), dict(self._lanes))
            prometheus.INGEST_DUPLICATE_FILTER_BYTES.set(self._filters.taken)
            prometheus.INGEST_STALLED_PARTITIONS.set(sum(lane.trouble is not None for lane in self._lanes.values()))
            await asyncio.sleep(every / 2)
            try:
                async with asyncio.timeout(max(0.0, observed + every - loop.time())):
                    await self._caught_up.wait()
            except TimeoutError:
                pass

    async def _observe(self) -> None:
        moment = self._clock()
        lanes = dict(self._lanes)
        try:
            self._deleted = await self._consumer.check_topics()
            ends = await self._consumer.end_offsets(lanes) if lanes else {}
            self._progress.observe(moment, {each: end for each, end in ends.items() if each in self._lanes})
        except TopicsChanged:
            raise
        except BrokerError as error:
            logger.warning("ends of the log unknown", extra={"error": str(error)})

    async def _commit_done(self, lanes: Mapping[TopicPartition, Lane], seconds: float = _COMMIT_SECONDS) -> None:
        """Commits the next offsets of partitions that have nothing to write."""
        committer = self._committer
        idle = [
            lane
            for lane in lanes.values()
            if lane.is_empty and lane.replay is None and not lane.held and lane.committed != lane.next_offset
        ]
        if committer is None or not idle:
            return
        for lane in idle:
            lane.held = True
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(committer.commit(lane.topic, lane.partition, lane.checkpoint) for lane in idle))
            for lane in idle:
                lane.committed = lane.next_offset
                lane.held = False
        except StaleMember:
            # The lanes stay held until the rebalance that follows drops them.
            logger.info("offsets left to the partitions' new owners")
        except TimeoutError as error:
            # Whether Kafka has them is not known, so no block may be recorded meanwhile: begin anew.
            self._failure = BrokerError("Kafka does not acknowledge commits")
            self._failure.__cause__ = error

    async def _drain(self) -> None:
        """Writes what is fetched and commits, for as long as a stop may take."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while True:
                    self._write_due(all_=True)
                    if self._writes:
                        await asyncio.wait(list(self._writes.values()), return_when=asyncio.FIRST_COMPLETED)
                    elif all(lane.is_empty or lane.replay is not None for lane in self._lanes.values()):
                        break
                    else:
                        # An offset of a lane that has something to write is just being committed.
                        await asyncio.sleep(self._rhythm.linger_seconds)
                await self._commit_done(self._lanes, _LAST_COMMIT_SECONDS)
                moment = self._clock()
                self._progress.observe(moment, await self._consumer.end_offsets(self._lanes))
                await self._progress.write(self._clock(), self._lanes)
        except (TimeoutError, BrokerError):
            logger.warning("stopped before everything fetched was written; it will be read again")

    async def _give_up(self, lanes: Mapping[TopicPartition, Lane]) -> None:
        """What was staged belongs to whoever is assigned the partitions next."""
        if self._committer is not None:
            await self._committer.close()
        self._progress.forget(set(lanes))


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _count(block: Block) -> None:
    kind = block.kind
    prometheus.INGEST_ROWS.labels(kind).inc(block.accepted)
    prometheus.INGEST_DUPLICATES.labels(kind).inc(block.duplicates)
    prometheus.INGEST_BLOCK_RECORDS.labels(kind).observe(block.records)
    prometheus.INGEST_BLOCK_BYTES.labels(kind).observe(block.bytes)
    for refusal in block.refusals:
        prometheus.INGEST_REFUSALS.labels(kind, refusal.reason).inc()
