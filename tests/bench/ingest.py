"""A child process of the benchmark: the ingest service as it is, into an empty chDB with every rollup."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import uvloop
from prometheus_client import Histogram, Metric
from pydantic import SecretStr

from services.common import prometheus
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from tests.bench.meter import MemoryWatch, Meter
from tests.bench.places import LoopWatch
from tests.bench.task import Task, read_task

_WAIT_SECONDS = 500
_REST_SECONDS = 1.0
"""After the first backlog the process rests for so long, and what it holds then counts as its idle memory."""

_TIMED = {
    "insert": prometheus.INGEST_INSERT_SECONDS,
    "commit": prometheus.INGEST_COMMIT_SECONDS,
    "ask for duplicates": prometheus.INGEST_DUPLICATE_QUESTION_SECONDS,
}


async def ingest(task: Task) -> dict[str, Any]:
    """Carries so many events into the tables and says how fast, from the assignment of the partitions on.

    A smaller backlog goes first, so that what a process does once (imports, ClickHouse's threads) is not counted.
    """
    url = f"chdb://{task.directory}"
    store = open_store(url, timeout_seconds=60)
    migrate(store)
    try:
        await carry(task.warm_settings(clickhouse_url=SecretStr(url)), store, task.warm_events, task.broker_pid)
        await asyncio.sleep(_REST_SECONDS)
        before = _timed()
        with MemoryWatch() as memory, LoopWatch() as loop:
            result = await carry(task.settings(clickhouse_url=SecretStr(url)), store, task.events, task.broker_pid)
        result["memory_above_idle_mb"] = memory.above_idle_mb
        result["memory_idle_mb"] = memory.idle_mb
        result["event_loop_shares"] = loop.shares
        # Up to three inserts run at a time, so these may add up to more than the time that went by.
        result["waited_seconds"] = {name: round(seconds - before[name], 3) for name, seconds in _timed().items()}
        assert rows_of(store) == task.events + task.warm_events
        return result
    finally:
        store.close()


async def carry(settings: Settings, store: Store, events: int, broker_pid: int) -> dict[str, Any]:
    """Runs the service until so many events are in, and says what that cost."""
    service = IngestService(settings, store)
    stop = asyncio.Event()
    before = handled()
    running = asyncio.create_task(service.run(stop))
    async with asyncio.timeout(_WAIT_SECONDS):
        while waits_for_group(service):  # noqa: ASYNC110  # the service tells nobody
            await asyncio.sleep(0.001)
        meter = Meter(broker_pid)
        while handled() - before < events and not running.done():  # noqa: ASYNC110
            # Looking must not cost what it measures.
            await asyncio.sleep(0.02)
        result: dict[str, Any] = meter.result(events)
        result["threads_cpu_us_per_event"] = meter.threads(events)
    stop.set()
    await running
    return result


def waits_for_group(service: IngestService) -> bool:
    """Whether it has no partitions yet."""
    reason = service.not_ready()
    return reason is not None and ("Kafka" in reason or "group" in reason)


def handled() -> float:
    """Records that this process has written to the tables or refused."""
    return sum(
        float(sample.value)
        for counter in (prometheus.INGEST_ROWS, prometheus.INGEST_DUPLICATES, prometheus.INGEST_REFUSALS)
        for sample in _samples(counter.collect())
        if sample.name.endswith("_total")
    )


def rows_of(store: Store) -> int:
    """Events in the tables, repeats included."""
    (found,) = store.query(
        "SELECT sum(rows) AS rows FROM system.parts WHERE active AND database = currentDatabase()"
        " AND table IN ('traffic_events', 'order_events', 'coupon_events', 'stock_events', 'spend_events')"
    )
    return int(found["rows"])


def _timed() -> dict[str, float]:
    return {name: _seconds(histogram) for name, histogram in _TIMED.items()}


def _seconds(histogram: Histogram) -> float:
    return sum(float(sample.value) for sample in _samples(histogram.collect()) if sample.name.endswith("_sum"))


def _samples(families: Any) -> list[Any]:
    found = []
    for family in families:
        assert isinstance(family, Metric)
        found += family.samples
    return found


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(ingest(read_task()))).decode())
