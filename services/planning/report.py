"""The plan as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from services.planning.costs import Measured
from services.planning.opening import Burst, Opening, Process
from services.planning.sizing import Part, Sizing

_WIDTH = 110
Openings = Mapping[str, tuple[Process, Burst, Opening]]
"""By what is the case; the process and its burst are one of many."""


def as_text(sizing: Sizing, measured: Measured, openings: Openings) -> str:
    """Some forty lines."""
    return "\n".join(_lines(sizing, measured, openings))


def as_json(sizing: Sizing, measured: Measured, openings: Openings) -> dict[str, Any]:
    """Everything that the text says, in plain units: bytes, seconds, events a second, cores."""
    return {
        "workload": asdict(sizing.workload),
        "events_per_second": {"peak": sizing.events_peak, "mean": sizing.workload.events_mean},
        "events_a_day": sizing.events_a_day,
        "kafka": {"partitions_a_topic": sizing.partitions, "topics": 5},
        "clickhouse": {"shards": sizing.shards, "compression": sizing.ratio},
        "settings": {
            "WARROOM_TOPIC_PARTITIONS": sizing.partitions,
            "WARROOM_TOPIC_REPLICATION_FACTOR": sizing.workload.kafka_replicas,
            "WARROOM_DUPLICATE_FILTER_MB": sizing.filter_mb,
        },
        "parts": [asdict(part) for part in sizing.parts],
        "one_machine_cores": sizing.one_machine_cores,
        "bottleneck": sizing.bottleneck,
        "warnings": list(sizing.warnings),
        "extrapolation": [{**asdict(reach), "times": reach.times, "flagged": reach.is_far} for reach in sizing.reaches],
        "assumptions": list(sizing.assumptions),
        "costs_of": list(measured.runs),
        "opening": {
            name: {
                "processes_share": asdict(burst),
                "capacity_a_process": process.capacity,
                "delay_seconds": {
                    "p50": opening.p50,
                    "p99": opening.p99,
                    "max": opening.worst,
                    "at_least": not opening.whole,
                },
                "peak_lag_a_process": opening.peak_lag,
                "recovery_seconds": opening.recovery,
            }
            for name, (process, burst, opening) in openings.items()
        },
    }


def _lines(sizing: Sizing, measured: Measured, openings: Openings) -> Iterator[str]:
    work = sizing.workload
    yield (
        f"{work.orders_peak:,.10g} orders/s at the peak, {work.orders_mean:,.10g} else; "
        f"{work.events_per_order:,.10g} events an order"
        f" of {work.event_bytes:,.0f} B; {work.campaigns:,} campaign(s); {work.viewers:,} viewer(s)"
    )
    yield (
        f"= {sizing.events_peak:,.0f} events/s at the peak ({work.peak_hours:g} h a day), "
        f"{work.events_mean:,.0f} else, "
        f"{sizing.events_a_day:,.0f} a day"
    )
    yield ""
    yield from _table(
        ("part", "count", "cores", "memory", "disk", "net in", "net out", "busy", "zone lost"),
        [_row(part) for part in sizing.parts],
    )
    yield ""
    yield (
        f"Kafka       5 topics of {sizing.partitions:,} partitions, {work.kafka_replicas} "
        f"replicas, {work.kafka_hours:g} h, codec {work.kafka_codec}"
    )
    yield (
        f"ClickHouse  {sizing.shards:,} shard(s) of {work.clickhouse_replicas} replica(s), "
        f"{work.retention_days:g} days; events lie "
        f"{sizing.ratio:.1f} times smaller than in Kafka uncompressed"
    )
    yield (
        f"settings    WARROOM_TOPIC_PARTITIONS={sizing.partitions} "
        f"WARROOM_TOPIC_REPLICATION_FACTOR={work.kafka_replicas} "
        f"WARROOM_DUPLICATE_FILTER_MB={sizing.filter_mb}"
    )
    yield (
        f"one machine all of it with one copy would use {_cores(sizing.one_machine_cores)} "
        f"at the peak, the broker not counted"
    )
    yield f"bottleneck  {sizing.bottleneck}"
    yield ""
    yield from _opening(openings)
    if sizing.warnings:
        yield ""
        yield "Look at this:"
        for warning in sizing.warnings:
            yield from _item(warning)
    yield ""
    yield "How far this lies beyond what was measured:"
    for reach in sizing.reaches:
        flag = "  FAR: measure before you rely on it" if reach.is_far else ""
        yield f"  {reach.what}: {reach.asked:,.0f}, measured {reach.measured:,.0f}, {_times(reach.times)}{flag}"
    yield ""
    yield "Assumed:"
    for assumption in sizing.assumptions:
        yield from _item(assumption)
    yield ""
    yield "Costs of:"
    for run in measured.runs:
        yield from _item(run)


def _opening(openings: Openings) -> Iterator[str]:
    burst = next(iter(openings.values()))[1]
    yield (
        f"The opening: within {burst.rise:g} s to the top, {burst.hold:g} s there, then half "
        f"of what is too much is gone every "
        f"{burst.half_life:g} s;"
    )
    yield "one ingest process and its part of ClickHouse, from Kafka to the tables:"
    rows = []
    for name, (process, shape, opening) in openings.items():
        recovered = "not within the time" if opening.recovery is None else f"{opening.recovery:.0f} s"
        rows.append(
            (
                name, f"{shape.top:,.0f}", f"{process.capacity:,.0f}", f"{opening.peak_lag:,.0f}",
                *(_delay(opening, seconds) for seconds in (opening.p50, opening.p99, opening.worst)),
                recovered,
            )
        )  # fmt: skip
    yield from _table(("", "events/s", "capacity", "most lag", "p50", "p99", "max", "recovered"), rows)


def _delay(opening: Opening, seconds: float) -> str:
    return f"{seconds:.1f} s" if opening.whole else f">{seconds:.1f} s"


def _row(part: Part) -> tuple[str, ...]:
    return (
        part.name,
        f"{part.count:,}",
        f"{part.cores:g}",
        "not measured" if part.memory_bytes is None else _size(part.memory_bytes),
        _size(part.disk_bytes) if part.disk_bytes else "-",
        _size(part.network_in) + "/s" if part.network_in else "-",
        _size(part.network_out) + "/s" if part.network_out else "-",
        f"{part.busy:.0%}",
        "stands still" if part.busy_without is None else f"{part.busy_without:.0%}",
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    every = [heads, *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(heads))]
    for row in every:
        first = row[0].ljust(widths[0])
        yield "  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()


def _item(text: str) -> Iterator[str]:
    line = "  -"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = "   "
        line += " " + word
    yield line


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} PB" if count < 999.5 else f"{count:,.0f} PB"


def _cores(count: float) -> str:
    return f"{count:,.1f} cores" if count < 100 else f"{count:,.0f} cores"


def _times(count: float) -> str:
    return f"{count:,.2f} times" if count < 10 else f"{count:,.0f} times"
