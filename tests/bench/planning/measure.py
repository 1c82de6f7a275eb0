"""What `warroom plan` needs to know and the other parts do not tell: bytes on disks, small blocks, one partition.

Everything goes through the ingest service into an empty chDB, off the embedded broker with one partition a topic.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.common.settings import EVENT_KINDS
from services.simulator.source import backlog
from tests.bench.backlog import BATCH_BYTES, Records, events, fill, only
from tests.bench.planning.burst import measure_burst
from tests.bench.planning.carry import Carry
from tests.bench.report import Figure
from tests.bench.task import CHILD_SECONDS, Task
from tests.support.broker import Broker, running_broker

_COLUMN = "planning"
CODECS = {"none": 0, "lz4": 3, "zstd": 4}
FULL_BLOCK, SMALL_BLOCK = 100_000, 250
_WARM = 5_000
_START_MS = 1_700_000_000_000
_MINUTES_OF_SPARSE = 20

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many events each measurement takes."""

    dense: int = 300_000
    sparse: int = 300_000
    small: int = 30_000
    partition: int = 250_000
    burst: int = 100_000


def measure_planning(amounts: Amounts, cache: Path, say: Say) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and what they were made from."""
    found: dict[str, Any] = {"batches": batch_bytes(events(amounts.dense, cache))}
    with (
        tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory,
        running_broker(Path(directory) / "broker") as broker,
    ):
        _fill(broker, "warm.", events(_WARM, cache))
        backlogs: Mapping[str, tuple[Callable[[], Iterator[Records]], int, int]] = {
            "dense": (lambda: events(amounts.dense, cache), amounts.dense, FULL_BLOCK),
            "sparse": (lambda: _sparse(amounts.sparse), amounts.sparse, FULL_BLOCK),
            "full blocks": (lambda: events(amounts.small, cache), amounts.small, FULL_BLOCK),
            "small blocks": (lambda: events(amounts.small, cache), amounts.small, SMALL_BLOCK),
            "one partition": (
                lambda: only({"traffic"}, events(amounts.dense, cache), amounts.partition),
                amounts.partition,
                FULL_BLOCK,
            ),
        }
        for number, (name, (portions, count, block)) in enumerate(backlogs.items()):
            prefix = f"part{number}."
            size = _fill(broker, prefix, portions())
            found[name] = {**_carried(broker, directory, prefix, count, block), "events": count, "value_bytes": size}
            said = found[name]
            say(
                f"planning: {name}: {said['events_per_second']:,.0f} events/s, {said['cpu_us_per_event']:.2f} CPU us "
                f"an event, {said['blocks']} blocks, "
                f"{(said['event_bytes'] + said['rollup_bytes']) / count:.1f} B on disk"
            )
    if not amounts.burst:
        return figures(found), found
    burst, found["burst"] = measure_burst(amounts.burst, cache, say)
    return [*figures(found), *burst], found


def figures(found: Mapping[str, Any]) -> list[Figure]:
    """Bytes and costs an event; what is there for a minute and for a block is told from what is there for an event by
    two backlogs that have as many events in more minutes, or in more blocks."""
    dense, sparse = found["dense"], found["sparse"]
    full, small = found["full blocks"], found["small blocks"]
    partition, batches = found["one partition"], found["batches"]
    a_minute, an_event = rollup_bytes(dense, sparse)
    more_blocks = max(1, small["blocks"] - full["blocks"])
    a_block = (small["cpu_us_per_event"] - full["cpu_us_per_event"]) * full["events"] / more_blocks / 1000
    values = dense["value_bytes"] / dense["events"]
    in_table = dense["event_bytes"] / dense["events"]
    return [
        Figure(_COLUMN, "size of an event's value", round(values, 1), "B"),
        *(
            Figure(_COLUMN, f"share of events: {kind}", round(rows / sparse["events"], 4))
            for kind, rows in sparse["rows"].items()
        ),
        Figure(_COLUMN, "events an order created", round(sparse["events"] / max(1, sparse["orders"]), 1)),
        *(
            Figure(_COLUMN, f"an event in Kafka's log, {codec}", round(size, 1), "B")
            for codec, size in batches["bytes_per_event"].items()
        ),
        Figure(_COLUMN, "an event in its table, merged", round(in_table, 1), "B"),
        Figure(_COLUMN, "an event's value / in its table", round(values / in_table, 2), "times"),
        Figure(_COLUMN, "rollups, folds and ledger: an event", round(an_event, 1), "B"),
        Figure(_COLUMN, "rollups, folds and ledger: a campaign's minute", round(a_minute / 1000, 1), "kB"),
        Figure(_COLUMN, "CPU of a block, however small", round(a_block, 2), "ms", note=f"{SMALL_BLOCK} records"),
        Figure(_COLUMN, "one partition: ingest", round(partition["events_per_second"]), "events/s"),
        Figure(_COLUMN, "one partition: CPU of ingest", round(partition["cpu_us_per_event"], 2), "us/event"),
        Figure(_COLUMN, "CPU of folding", round(dense["fold_cpu_us_per_event"], 2), "us/event"),
        Figure(_COLUMN, "events on disk, measured", dense["events"], "events"),
    ]  # fmt: skip


def rollup_bytes(dense: Mapping[str, Any], sparse: Mapping[str, Any]) -> tuple[float, float]:
    """Bytes of what is made of events: for each minute of a campaign, and for each event, where both explain what two
    backlogs of different density left on the disk."""
    events = dense["events"], sparse["events"]
    minutes = dense["minutes"], sparse["minutes"]
    size = dense["rollup_bytes"], sparse["rollup_bytes"]
    whole = events[0] * minutes[1] - events[1] * minutes[0]
    if whole <= 0:
        return 0.0, size[0] / events[0]
    a_minute = max(0.0, (events[0] * size[1] - events[1] * size[0]) / whole)
    return a_minute, max(0.0, size[0] - a_minute * minutes[0]) / events[0]


def batch_bytes(portions: Iterator[Records]) -> dict[str, Any]:
    """Bytes that Kafka's log grows by for each event, by codec: batches are stored as they are sent.

    The log's indexes are not counted; they come to some thousandths of it.
    """
    by_kind: dict[str, list[tuple[bytes, bytes]]] = {}
    for portion in portions:
        for kind, key, value in portion:
            by_kind.setdefault(kind, []).append((key, value))
    count = sum(map(len, by_kind.values()))
    sizes = {
        codec: sum(_batches(records, number) for records in by_kind.values()) / count
        for codec, number in CODECS.items()
    }
    return {"events": count, "batch_bytes": BATCH_BYTES, "bytes_per_event": sizes}


def _batches(records: Sequence[tuple[bytes, bytes]], codec: int) -> int:
    size, left = 0, iter(records)
    waiting = next(left, None)
    while waiting is not None:
        builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, BATCH_BYTES)
        offset = 0
        while waiting is not None and builder.append(offset, _START_MS, waiting[0], waiting[1], []) is not None:
            offset += 1
            waiting = next(left, None)
        size += len(builder.build())
    return size


def _sparse(count: int) -> Iterator[Records]:
    """As many events as a smaller shop has in twenty minutes."""
    made = backlog(count, count, "bench", _START_MS, _MINUTES_OF_SPARSE * 60)
    while portion := list(islice(made, 10_000)):
        yield portion


def _fill(broker: Broker, prefix: str, portions: Iterator[Records]) -> int:
    task = _task(broker, prefix, 0, "")
    return asyncio.run(fill(task.settings(), dict.fromkeys(EVENT_KINDS, 1), portions))


def _carried(broker: Broker, directory: str, prefix: str, count: int, block: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="store-", dir=directory) as store:
        told = Carry(_task(broker, prefix, count, store), block)
        finished = subprocess.run(
            [sys.executable, "-m", "tests.bench.planning.carry", msgspec.json.encode(told).decode()],
            stdout=subprocess.PIPE,
            timeout=CHILD_SECONDS,
            check=True,
        )
    result: dict[str, Any] = msgspec.json.decode(finished.stdout)
    return result


def _task(broker: Broker, prefix: str, count: int, store: str) -> Task:
    return Task(
        bootstrap_servers=broker.bootstrap_servers,
        broker_pid=broker.pid,
        prefix=prefix,
        events=count,
        warm_prefix="warm.",
        warm_events=_WARM,
        directory=store,
        group=f"planning-{prefix}",
        warm_group=f"planning-warm-{prefix}",
    )
