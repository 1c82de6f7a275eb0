"""The store for coroutines: its blocking calls run on a few threads of their own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pyarrow as pa

from services.common import prometheus
from services.common.store.interface import Parameters, Row, Store

_Result = TypeVar("_Result")


class StorePool:
    """Awaitable calls of one store. `threads` bounds how many run at once; the others wait their turn.

    `name` tells whose calls they are, in thread names and in the Prometheus metric.
    """

    def __init__(self, store: Store, *, threads: int, name: str) -> None:
        self.store = store
        self._seconds = prometheus.STORE_CALL_SECONDS.labels(name)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"store-{name}")

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return await self._run(partial(self.store.query, sql, parameters))

    async def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        return await self._run(partial(self.store.query_arrow, sql, parameters))

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        await self._run(partial(self.store.insert, table, rows, token=token))

    async def command(self, sql: str, parameters: Parameters | None = None) -> None:
        await self._run(partial(self.store.command, sql, parameters))

    async def close(self) -> None:
        """Waits for the calls that run and drops those that wait. The store itself stays open."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _run(self, call: partial[_Result]) -> _Result:
        with self._seconds.time():
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
