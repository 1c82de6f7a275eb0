"""From a workload and the costs of one machine to what has to stand there. Pure arithmetic; every assumption
is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.common.errors import ConfigurationError
from services.common.settings import EVENT_KINDS
from services.planning.costs import Costs
from services.planning.opening import Process
from services.planning.workload import Workload

FILTER_BYTES = 8
"""Memory of the duplicate filter for each event of a horizon: 4 bytes an event, and two horizons
(docs/architecture.md)."""

STEADY_AGE, LONGEST_AGE = 0.4, 1.5
"""Seconds between the blocks of a partition: WARROOM_BATCH_MAX_AGE_MS, and what it grows to where partitions
are many."""

MOST_PARTITIONS = 1_000
"""What WARROOM_TOPIC_PARTITIONS takes."""

MOST_PROCESSES = 100_000
GB_A_CORE = 4
GROUPS = 50
JUDGEMENTS = 1_000 * 50
"""Of the look that `look_seconds` is of."""

FAR = 10.0
"""A result that lies this many times beyond what was measured is flagged."""

_PARTITIONS_A_PROCESS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of process. Cores and bytes are of one of them; network is bytes a second in and out of one of them.

    `busy` is how much of one is used at the peak with everything there, and `busy_without` with a zone, or one of
    them, lost. None is not measured, or does not apply.
    """

    name: str
    count: int
    cores: float
    memory_bytes: float | None
    disk_bytes: float
    network_in: float
    network_out: float
    busy: float
    busy_without: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a result lies beyond what was measured."""

    what: str
    asked: float
    measured: float

    @property
    def times(self) -> float:
        """1 is what was measured."""
        return self.asked / self.measured

    @property
    def is_far(self) -> bool:
        """Whether it is flagged."""
        return self.times > FAR


@dataclass(frozen=True, slots=True)
class Sizing:
    """All of it. Bytes are bytes; a day is one with its hours of peak."""

    workload: Workload
    events_peak: float
    events_a_day: float
    partitions: int
    shards: int
    parts: tuple[Part, ...]
    filter_mb: int
    """WARROOM_DUPLICATE_FILTER_MB of each ingest process."""
    one_machine_cores: float
    """What all of it uses at the peak where there is one copy of everything on one machine."""
    ratio: float
    """Bytes of the events' values for each byte in their tables."""
    bottleneck: str
    warnings: tuple[str, ...]
    reaches: tuple[Reach, ...]
    assumptions: tuple[str, ...]
    process: Process
    """One ingest process with everything there, for the simulation."""
    process_without: Process
    """The same with a zone, or a process, lost."""

    def part(self, name: str) -> Part:
        """By its name."""
        return next(part for part in self.parts if part.name == name)


def survivors(count: int, zones: int) -> int:
    """How many are left when the fullest zone is lost; with one zone, when one of them is."""
    return count - (math.ceil(count / zones) if zones > 1 else 1)


def size(work: Workload, costs: Costs) -> Sizing:
    """What has to stand there for the peak, so that each part is used no more than `work.busy` with a zone lost.

    Raises `ConfigurationError` where no number of processes would do.
    """
    bigger = max(1.0, work.event_bytes / costs.value_bytes)
    count, partitions = _ingest(work, costs, bigger)
    left = survivors(count, work.zones)
    lanes = partitions * len(EVENT_KINDS)
    blocks = _blocks_a_second(lanes / count, costs.block_ms) * count
    store_us = (costs.store_us + costs.fold_us) * bigger
    metrics = _enough(work, lambda n: _metrics_busy(work, costs, n))
    metrics_left = survivors(metrics, work.zones)
    queries = costs.campaign_cores * work.campaigns * metrics
    look = costs.look_seconds * work.rules * work.campaigns * GROUPS / JUDGEMENTS
    store_cores = work.events_peak * store_us / 1e6 + blocks * costs.block_ms / 1e3 + queries
    shards = max(1, math.ceil(store_cores / (work.busy * work.server_cores)))
    server = _server_cores(work, store_cores / shards)
    broker_us = (costs.produce_us * work.kafka_replicas + costs.consume_us) * bigger
    log_bytes = {"none": costs.log_bytes_none, "lz4": costs.log_bytes_lz4, "zstd": costs.log_bytes_zstd}
    in_log = log_bytes[work.kafka_codec] * work.event_bytes / costs.value_bytes
    # A log is copied to each other replica, and read once by ingest.
    arriving = work.events_peak * in_log
    broker_in, broker_out = arriving * work.kafka_replicas, arriving * work.kafka_replicas
    link = work.broker_gbit * 1e9 / 8
    broker_cores = 4
    brokers = _enough(
        work,
        lambda n: max(broker_out / n / link, work.events_peak * broker_us / 1e6 / n / broker_cores),
        least=max(work.kafka_replicas, work.zones if work.kafka_replicas > 1 else 1),
        spare=work.kafka_replicas > 1,
    )
    table_bytes = costs.table_bytes * work.event_bytes / costs.value_bytes
    minutes = 60 * 24 * work.retention_days * work.campaigns
    stored = work.events_a_day * work.retention_days
    store_bytes = stored * (table_bytes + costs.rollup_bytes) + minutes * costs.rollup_minute_kb * 1e3
    values = work.events_peak * work.event_bytes
    sent = work.viewers * costs.snapshot_bytes
    filter_mb = max(64, math.ceil(work.events_a_day * FILTER_BYTES / left / 2**20))
    ingest_memory = (costs.ingest_idle_mb + costs.ingest_peak_mb + filter_mb) * 2**20
    servers = shards * work.clickhouse_replicas
    own = costs.own_us * bigger / 1e6
    per_process_us = (costs.own_us + costs.insert_us) * bigger
    broker_busy = max(broker_out / brokers / link, work.events_peak * broker_us / 1e6 / brokers / broker_cores)
    broker_left = survivors(brokers, work.zones) if work.kafka_replicas > 1 else 0
    alerts_busy = min(look, 99.0)
    parts = (
        Part(
            "Kafka broker", brokers, broker_cores, None,
            in_log * work.events_within(work.kafka_hours) * work.kafka_replicas / brokers / work.busy,
            broker_in / brokers, broker_out / brokers,
            broker_busy, broker_busy * brokers / broker_left if broker_left else None,
        ),
        Part(
            "ingest", count, 1, ingest_memory, 0,
            arriving / count, values / count,
            work.events_peak * per_process_us / 1e6 / count * _unevenness(partitions, count),
            work.events_peak * per_process_us / 1e6 / left * _unevenness(partitions, left),
        ),
        Part(
            "ClickHouse server", servers, server, GB_A_CORE * 2**30 * server,
            store_bytes / shards / work.busy,
            values / shards, work.events_peak * table_bytes / shards * (work.clickhouse_replicas - 1),
            store_cores / shards / server,
            store_cores / shards / server if work.clickhouse_replicas > 1 else None,
        ),
        Part(
            "metrics", metrics, 1,
            (costs.metrics_mb + work.viewers / max(1, metrics_left) * costs.viewer_kb / 1e3) * 2**20, 0,
            0, sent / metrics, _metrics_busy(work, costs, metrics), _metrics_busy(work, costs, metrics_left),
        ),
        Part("alerts", 2, 1, None, 0, 0, 0, alerts_busy, alerts_busy),
    )  # fmt: skip
    share = dict(costs.shares)
    return Sizing(
        workload=work,
        events_peak=work.events_peak,
        events_a_day=work.events_a_day,
        partitions=partitions,
        shards=shards,
        parts=parts,
        filter_mb=filter_mb,
        one_machine_cores=work.events_peak * (own + store_us / 1e6)
        + _blocks_a_second(len(EVENT_KINDS), costs.block_ms) * costs.block_ms / 1e3
        + work.campaigns * costs.campaign_cores
        + work.viewers * costs.snapshot_us / 1e6
        + min(look, 1.0),
        ratio=work.event_bytes / table_bytes,
        bottleneck=_bottleneck(parts),
        warnings=tuple(_warnings(work, parts, partitions, look, filter_mb, shards)),
        reaches=(
            Reach("events a second into one store", work.events_peak / shards, costs.ingest_measured),
            Reach("events a second in all", work.events_peak, costs.ingest_measured),
            Reach("viewers of one metrics process", max(1.0, work.viewers / metrics), costs.viewers_measured),
            Reach("events on a server's disk", stored / shards, costs.stored_measured),
            Reach("events an alert rule's look is judged by", work.rules * work.campaigns * GROUPS, JUDGEMENTS),
        ),
        assumptions=_assumptions(work, costs, bigger),
        process=_process(work, costs, bigger, share, partitions, count, shards * server),
        process_without=_process(work, costs, bigger, share, partitions, left, shards * server),
    )


def _ingest(work: Workload, costs: Costs, bigger: float) -> tuple[int, int]:
    """The fewest processes, and the partitions of each topic, with which neither a process nor a partition is used for
    more than it may when a zone is lost."""
    a_process = 1e6 / ((costs.own_us + costs.insert_us) * bigger) * work.busy
    a_partition = 1e6 / (costs.partition_us * bigger) * work.busy
    busiest = max(costs.shares.values())
    count = max(2, math.floor(work.events_peak / a_process))
    while count <= MOST_PROCESSES:
        left = survivors(count, work.zones)
        if left:
            for each in _PARTITIONS_A_PROCESS:
                partitions = count * each
                if (
                    work.events_peak * busiest / partitions <= a_partition
                    and work.events_peak / left * _unevenness(partitions, left) <= a_process
                ):
                    return count, partitions
        count += 1
    raise ConfigurationError(
        f"--orders-peak times --events-per-order is {work.events_peak:,.0f} events a second: "
        f"more than {MOST_PROCESSES:,} "
        "ingest processes would carry"
    )


def _server_cores(work: Workload, needed: float) -> int:
    """The cores of a server: 2, 4, 8 ..., as many as are needed and no more than there may be."""
    cores = 2
    while cores < work.server_cores and needed > work.busy * cores:
        cores *= 2
    return min(cores, work.server_cores)


def _unevenness(partitions: int, processes: int) -> float:
    """How much more than the mean the process with the most partitions has."""
    return math.ceil(partitions / processes) * processes / partitions


def _blocks_a_second(lanes: float, block_ms: float) -> float:
    """Blocks of one process, every one of whose lanes receives something (`services/ingest/block.py`, `Pace`)."""
    return lanes / max(STEADY_AGE, min(LONGEST_AGE, block_ms / 1e3 * lanes / 0.6))


def _metrics_busy(work: Workload, costs: Costs, count: int) -> float:
    """Of one core. The campaigns' questions are ClickHouse's work."""
    return work.viewers / count * costs.snapshot_us / 1e6


def _enough(work: Workload, busy: Callable[[int], float], *, least: int = 2, spare: bool = True) -> int:
    """The fewest that are used for no more than they may with a zone lost."""
    count = least
    while True:
        left = survivors(count, work.zones) if spare else count
        if left and busy(left) <= work.busy:
            return count
        count = max(count + 1, math.ceil(count * 1.01))


def _process(
    work: Workload, costs: Costs, bigger: float, shares: dict[str, float], partitions: int, count: int, store_cores: int
) -> Process:
    mine = max(1, math.ceil(partitions / count))
    return Process(
        lanes=[share / partitions for share in shares.values() for _ in range(mine)],
        # As in the arithmetic: its own part of an insert, which was not measured, is taken for as much as ClickHouse's.
        own_us=(costs.own_us + costs.insert_us) * bigger,
        store_us=(costs.store_us + costs.fold_us) * bigger,
        block_ms=costs.block_ms,
        cores=1.0,
        store_cores=store_cores / count,
        event_bytes=work.event_bytes,
    )


def _bottleneck(parts: tuple[Part, ...]) -> str:
    fullest = max(parts, key=lambda part: part.busy_without if part.busy_without is not None else part.busy)
    busy = fullest.busy_without if fullest.busy_without is not None else fullest.busy
    return f"{fullest.name}: {busy:.0%} used at the peak with a zone lost; it is the first to be full"


def _warnings(
    work: Workload, parts: tuple[Part, ...], partitions: int, look: float, filter_mb: int, shards: int
) -> Iterator[str]:
    lost = "a zone" if work.zones > 1 else "a machine"
    if work.kafka_replicas < 2:
        yield f"--kafka-replicas 1: what was in the log of {lost} that is lost is lost"
    elif work.kafka_replicas < 3:
        yield f"--kafka-replicas 2: with {lost} lost, acks=all and min.insync.replicas=2 take no record"
    if work.clickhouse_replicas < 2:
        yield f"--clickhouse-replicas 1: with {lost} lost numbers stand still until it is back or restored"
    if work.zones > 1 and work.clickhouse_replicas < 2:
        yield "a zone that is lost takes its shards with it"
    if partitions > MOST_PARTITIONS:
        yield (
            f"WARROOM_TOPIC_PARTITIONS ends at {MOST_PARTITIONS:,}: make the topics with {partitions:,} partitions "
            "yourself, Warroom accepts them as they are"
        )
    if look > work.busy:
        yield (
            f"a look at the alert rules takes {look:.1f} s of the second that there is: one "
            f"alerts service judges every "
            "campaign, more processes do not divide them; use fewer rules or several Warrooms"
        )
    if filter_mb > 8192:
        yield (
            f"the duplicate filter is {filter_mb / 1024:.0f} GB a process: more processes, or a shorter "
            "WARROOM_DUPLICATE_HORIZON_HOURS"
        )
    if shards > 1:
        yield "more than one shard: distinct users and funnels stay exact only where a user's events share a shard"
    for part in parts:
        if part.busy > 1 and part.name != "alerts":
            yield f"{part.name} cannot do this: {part.busy:.1f} times what one has"


def _assumptions(work: Workload, costs: Costs, bigger: float) -> tuple[str, ...]:
    return (
        "cost an event is the same on every core and at every speed; it was measured on 2 cores, and beyond two ingest "
        "processes nothing was",
        f"used at the peak for {work.busy:.0%} at the most with a zone lost ({work.zones} "
        f"zones; with one zone, a process)",
        "an ingest process is given for ClickHouse's inserts as much CPU again as they cost "
        "in chDB: its own part of an "
        "insert over HTTP was not measured",
        "each replica of a shard inserts, rolls up and merges by itself (fetching finished parts would cost less)",
        f"a ClickHouse server has {GB_A_CORE} GB a core: ClickHouse's general advice, not measured; so is no memory of "
        "brokers and of alerts",
        f"blocks of each partition every {STEADY_AGE:g} to {LONGEST_AGE:g} s, "
        f"{costs.block_ms:.0f} ms of ClickHouse each",
        "keys spread evenly over partitions, users evenly over shards",
        f"events are of {work.event_bytes:.0f} B, {costs.value_bytes:.0f} B were measured"
        + (f": CPU is taken {bigger:.1f} times, disk and network in proportion" if bigger > 1 else ""),
        "bytes on disk are those of simulated events, whose identifiers repeat more than a shop's; pages, coupons and "
        "spend are its too",
        f"an alert rule judges {GROUPS} groups a campaign; every metrics process is asked for every campaign",
        "brokers have 4 cores; a log is copied to each other replica at the cost of producing it",
    )
