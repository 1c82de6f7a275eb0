"""A child process of the benchmark: the ingest service as it is, into an empty chDB with every rollup."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop
from prometheus_client import Metric

from services.common import prometheus
from services.common.settings import Settings
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from tests.bench.meter import Meter

_WAIT_SECONDS = 200


async def ingest(bootstrap_servers: str, events: int, directory: Path) -> dict[str, float]:
    """Carries so many events into the tables and says how fast, from the assignment of the partitions on."""
    store = open_store(f"chdb://{directory}", timeout_seconds=60)
    migrate(store)
    service = IngestService(
        Settings(kafka_bootstrap_servers=bootstrap_servers, consumer_group=f"ingest-{directory.name}"), store
    )
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    async with asyncio.timeout(_WAIT_SECONDS):
        while _waits_for_group(service.not_ready()):  # noqa: ASYNC110  # the service tells nobody
            await asyncio.sleep(0.001)
        meter = Meter()
        while _handled() < events and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        result = meter.result(events)
    stop.set()
    await task
    (rows,) = store.query(
        "SELECT sum(rows) AS rows FROM system.parts WHERE active AND database = currentDatabase()"
        " AND table IN ('traffic_events', 'order_events', 'coupon_events', 'stock_events', 'spend_events')"
    )
    assert rows["rows"] == _sum(prometheus.INGEST_ROWS.collect()), rows
    store.close()
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
