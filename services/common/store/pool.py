"""The store for coroutines: its blocking calls run on a few threads of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from services.common import prometheus, tracing
from services.common.store.interface import Parameters, Row, Store

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 3.0
"""How long a call that runs is waited for at the end; `Store.close` ends it then."""

_Result = TypeVar("_Result")


class StorePool:
    """Awaitable calls of one store. `threads` bounds how many run at once; the others wait their turn.

    `name` tells whose calls they are, in thread names and in the Prometheus metric.
    """

    def __init__(self, store: Store, *, threads: int, name: str) -> None:
        self.store = store
        self._seconds = prometheus.STORE_CALL_SECONDS.labels(name)
        self._attributes = {"db.system": "clickhouse", "warroom.store.pool": name}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"store-{name}")
        self._running: set[Future[Any]] = set()

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return await self._run(partial(self.store.query, sql, parameters))

    async def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        return await self._run(partial(self.store.query_arrow, sql, parameters))

    async def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        await self._run(partial(self.store.insert, table, rows, token=token))

    async def command(self, sql: str, parameters: Parameters | None = None) -> None:
        await self._run(partial(self.store.command, sql, parameters))

    async def call(self, work: Callable[[Store], _Result]) -> _Result:
        """Several calls of the store, one after another on one thread."""
        return await self._run(partial(work, self.store))

    async def close(self) -> None:
        """Drops the calls that wait and waits a little for those that run. The store itself stays open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        running = [asyncio.wrap_future(future) for future in list(self._running)]
        if running:
            _, late = await asyncio.wait(running, timeout=CLOSE_SECONDS)
            if late:
                logger.warning("calls to the store left unanswered", extra={"calls": len(late)})

    async def _run(self, call: partial[_Result]) -> _Result:
        # Neither the statement nor its parameters: they hold what somebody asked for.
        with self._seconds.time(), tracing.span(_name(call), self._attributes, kind="client"):
            future = self._threads.submit(call)
            self._running.add(future)
            future.add_done_callback(self._running.discard)
            return await asyncio.wrap_future(future)


def _name(call: partial[Any]) -> str:
    return f"store {getattr(call.func, '__name__', 'call')}"
