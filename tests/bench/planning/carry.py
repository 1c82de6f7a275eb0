"""A child: carries a backlog into the tables, then lets ClickHouse merge all of it, and says what lies on the disk."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import uvloop
from pydantic import SecretStr

from services.common.clock import wall_clock
from services.common.store import Store, StorePool
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.columns import TABLES
from services.metrics.folding import Folder
from tests.bench.ingest import carry, rows_of
from tests.bench.meter import MemoryWatch, Meter
from tests.bench.task import Task, hush

_MOST_FOLDS = 200


class Carry(msgspec.Struct, frozen=True):
    """What the child is to do."""

    task: Task
    block_records: int
    """The most records of a block."""


async def carried(told: Carry) -> dict[str, Any]:
    """What it cost, how many blocks it took, and the bytes of the tables once they are merged."""
    task = told.task
    url = f"chdb://{task.directory}"
    store = open_store(url, timeout_seconds=120)
    migrate(store)
    try:
        secret = SecretStr(url)
        await carry(task.warm_settings(clickhouse_url=secret), store, task.warm_events, task.broker_pid)
        for table in _tables(store):
            store.command(f"TRUNCATE TABLE {table}")
        store.command("TRUNCATE TABLE ingest_progress")
        settings = task.settings(clickhouse_url=secret, batch_max_rows=told.block_records)
        with MemoryWatch() as memory:
            result = await carry(settings, store, task.events, task.broker_pid)
        assert rows_of(store) == task.events
        result["fold_cpu_us_per_event"] = await _folded(store, task)
        (blocks,) = store.query("SELECT count() AS blocks FROM ingest_blocks")
        return {**result, "memory_above_idle_mb": memory.above_idle_mb, "blocks": blocks["blocks"], **_disk(store)}
    finally:
        store.close()


async def _folded(store: Store, task: Task) -> float:
    """Makes the spans of visitors and funnels of all that is there, and returns the CPU microseconds an event."""
    pool = StorePool(store, threads=2, name="fold")
    folder = Folder(pool, wall_clock)
    meter = Meter(task.broker_pid)
    try:
        for _ in range(_MOST_FOLDS):
            behind = await folder.fold_due()
            (row,) = await pool.query("SELECT sum(rows) AS rows FROM folds")
            if not behind and row["rows"]:
                break
        await folder.compact()
    finally:
        await pool.close()
    return float(meter.result(task.events)["cpu_us_per_event"])


def _disk(store: Store) -> dict[str, Any]:
    for table in _tables(store):
        store.command(f"OPTIMIZE TABLE {table} FINAL")
    parts = store.query(
        """
        SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, sum(data_uncompressed_bytes) AS uncompressed
        FROM system.parts
        WHERE active AND database = currentDatabase()
        GROUP BY table
        """
    )
    rollups = set(_tables(store)) - set(TABLES.values())
    (minutes,) = store.query("SELECT uniqExact(minute) AS minutes FROM traffic_by_minute")
    (orders,) = store.query("SELECT countIf(event_name = 'order_created') AS orders FROM order_events")
    return {
        "rows": {kind: _sum(parts, "rows", {table}) for kind, table in TABLES.items()},
        "event_bytes": _sum(parts, "bytes", set(TABLES.values())),
        "event_bytes_uncompressed": _sum(parts, "uncompressed", set(TABLES.values())),
        "rollup_bytes": sum(int(part["bytes"]) for part in parts if part["table"] in rollups),
        "minutes": int(minutes["minutes"]),
        "orders": int(orders["orders"]),
    }


def _sum(parts: list[dict[str, Any]], field: str, tables: set[str]) -> int:
    return sum(int(part[field]) for part in parts if part["table"] in tables)


def _tables(store: Store) -> list[str]:
    """What holds events, what is made of them, and the ledger of blocks."""
    found = store.query(
        """
        SELECT name FROM system.tables
        WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
            AND (match(name, '_events$|_by_|^folds$') OR name IN ('ingest_blocks', 'campaign_activity'))
        """
    )
    return [str(row["name"]) for row in found]


if __name__ == "__main__":
    hush()
    print(msgspec.json.encode(uvloop.run(carried(msgspec.json.decode(sys.argv[1], type=Carry)))).decode())
