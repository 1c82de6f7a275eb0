"""One insert, repeated until its rows are surely there.

A token alone does not say so. ClickHouse without replicas notes the token first and gives the part its name afterwards
(`MergeTreeSink`). Killed between the two, it takes the repetition for a duplicate of rows that it does not have, yet
feeds it to the rollups. So after an attempt that may have been cut off the rows are looked for; where they are missing,
they are put into the table beside its rollups.
"""

from __future__ import annotations

import logging
import time
from hashlib import blake2b
from typing import Protocol

import pyarrow as pa

from services.common import prometheus
from services.common.store import StorePool

logger = logging.getLogger(__name__)

_KEYS = {
    "campaign_id": "String",
    "event_time": "DateTime64(3, 'UTC')",
    "topic": "String",
    "kafka_partition": "UInt16",
    "arrived_at": "DateTime64(3, 'UTC')",
    "opened_at": "DateTime64(3, 'UTC')",
    "kafka_offset": "UInt64",
}
"""The columns that tell a row from all others, of those that its table has: where the table's order finds it, and the
record that it came from."""


class Tables(Protocol):
    """The store, for coroutines. All calls raise `StoreUnavailable` and `StoreRejected`."""

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        """As `Store.insert`."""
        ...

    async def holds(self, table: str, rows: pa.Table) -> bool:
        """Whether the table has the first of the rows; they come as one part, so it has all or none."""
        ...

    async def attach(self, table: str, rows: pa.Table) -> None:
        """Puts rows of one part into the table, and not into the rollups that it feeds."""
        ...


class Insertion:
    """An insert under a token that is called until it returns."""

    def __init__(self, tables: Tables, table: str, rows: pa.Table, token: str, *, again: bool) -> None:
        """`again` says that the insert may have been made before, by this process or another."""
        self._tables = tables
        self._table = table
        self._rows = rows
        self._token = token
        self._doubtful = again

    async def __call__(self) -> None:
        """Returns when the rows are in the table and in its rollups.

        Raises `StoreUnavailable` when it should be called again, and `StoreRejected`.
        """
        await self._insert()
        if self._doubtful and not await self._tables.holds(self._table, self._rows):
            logger.warning(
                "the store knew a block whose rows it had lost: they are attached",
                extra={"table": self._table, "rows": self._rows.num_rows, "block": self._token},
            )
            await self._tables.attach(self._table, self._rows)

    async def _insert(self) -> None:
        started = time.perf_counter()
        outcome = "failed"
        # Whatever is raised now, the rows may be there.
        before, self._doubtful = self._doubtful, True
        try:
            await self._tables.insert(self._table, self._rows, token=self._token)
            outcome = "done"
            self._doubtful = before
        finally:
            prometheus.INGEST_INSERT_SECONDS.labels(self._table, outcome).observe(time.perf_counter() - started)


class StoreTables:
    """`Tables` of a ClickHouse."""

    def __init__(self, store: StorePool) -> None:
        self._store = store

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        await self._store.insert(table, rows, token=token)

    async def holds(self, table: str, rows: pa.Table) -> bool:
        keys = [name for name in _KEYS if name in rows.column_names]
        conditions = " AND ".join(f"{name} = {{{name}:{_KEYS[name]}}}" for name in keys)
        # Replicas note token and part in one step; one that lags would deny what it will have in a moment.
        (found,) = await self._store.query(
            f"""
            SELECT
                (SELECT count() FROM {table} WHERE {conditions}) > 0 AS held,
                (
                    SELECT engine = 'MergeTree' FROM system.tables
                    WHERE database = currentDatabase() AND name = {{table:String}}
                ) AS single
            SETTINGS use_query_condition_cache = 0
            """,
            {"table": table, **{name: rows.column(name)[0].as_py() for name in keys}},
        )
        return bool(found["held"] or not found["single"])

    async def attach(self, table: str, rows: pa.Table) -> None:
        # A table without views, from which the part is taken over whole.
        twin = f"{table}_{blake2b(repr(rows.slice(0, 1).to_pylist()).encode(), digest_size=8).hexdigest()}"
        day = rows.column("opened_at" if "opened_at" in rows.column_names else "arrived_at")[0].as_py()
        await self._store.command(f"DROP TABLE IF EXISTS {twin} SYNC")
        await self._store.command(f"CREATE TABLE {twin} AS {table}")
        await self._store.insert(twin, rows)
        await self._store.command(f"ALTER TABLE {table} ATTACH PARTITION '{day:%Y-%m-%d}' FROM {twin}")
        await self._store.command(f"DROP TABLE {twin} SYNC")
