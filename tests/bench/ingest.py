"""A child process of the benchmark: the ingest service as it is, into an empty chDB with every rollup."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop
from prometheus_client import Metric
from pydantic import SecretStr

from services.common import prometheus
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from tests.bench.backlog import WARM_UP, WARM_UP_EVENTS
from tests.bench.meter import Meter

_WAIT_SECONDS = 200


async def ingest(bootstrap_servers: str, events: int, directory: Path) -> dict[str, float]:
    """Carries so many events into the tables and says how fast, from the assignment of the partitions on.

    A smaller backlog goes first, so that what a process does once (imports, ClickHouse's threads) is not counted.
    """
    store = open_store(f"chdb://{directory}", timeout_seconds=60)
    migrate(store)
    try:
        settings = Settings(kafka_bootstrap_servers=bootstrap_servers, clickhouse_url=SecretStr(f"chdb://{directory}"))
        # Settings keep what they derive, so each backlog has some of its own.
        group = {"consumer_group": directory.name}
        await _carry(settings.model_copy(update={**WARM_UP, **group}), store, WARM_UP_EVENTS)
        result = await _carry(settings.model_copy(update=group), store, events)
        (rows,) = store.query(
            "SELECT sum(rows) AS rows FROM system.parts WHERE active AND database = currentDatabase()"
            " AND table IN ('traffic_events', 'order_events', 'coupon_events', 'stock_events', 'spend_events')"
        )
        assert rows["rows"] == events + WARM_UP_EVENTS, rows
        return result
    finally:
        store.close()


async def _carry(settings: Settings, store: Store, events: int) -> dict[str, float]:
    service = IngestService(settings, store)
    stop = asyncio.Event()
    before = _handled()
    task = asyncio.create_task(service.run(stop))
    async with asyncio.timeout(_WAIT_SECONDS):
        while _waits_for_group(service.not_ready()):  # noqa: ASYNC110  # the service tells nobody
            await asyncio.sleep(0.001)
        meter = Meter()
        while _handled() - before < events and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        result = meter.result(events)
    stop.set()
    await task
    return result


def _waits_for_group(reason: str | None) -> bool:
    return reason is not None and ("Kafka" in reason or "group" in reason)


def _handled() -> float:
    return sum(
        _sum(counter.collect())
        for counter in (prometheus.INGEST_ROWS, prometheus.INGEST_DUPLICATES, prometheus.INGEST_REFUSALS)
    )


def _sum(families: object) -> float:
    assert isinstance(families, list)
    total = 0.0
    for family in families:
        assert isinstance(family, Metric)
        total += sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
    return total


if __name__ == "__main__":
    print(json.dumps(uvloop.run(ingest(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))))
