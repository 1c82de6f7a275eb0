"""Several questions in one statement."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any, TypeVar

from services.common.store.interface import Parameters, Row
from services.common.store.pool import StorePool

_Result = TypeVar("_Result")

# Turns of the event loop in which nobody asks: coroutines that were started together come to their questions by then.
_QUIET_TURNS = 4
_PARAMETER = re.compile(r"\{(\w+)\s*:")


class JoinedPool(StorePool):
    """Sends queries that coroutines ask at the same time as one statement: each becomes a subquery that returns its
    rows as one array.

    For several small questions that are always asked together. They share one thread and one fate: when one is
    refused, all fail. `pool` makes the calls and stays the owner of its threads.
    """

    def __init__(self, pool: StorePool) -> None:
        self.store = pool.store
        self._pool = pool
        self._waiting: list[tuple[str, dict[str, Any], asyncio.Future[list[Row]]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        answer: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._waiting.append((sql, dict(parameters or {}), answer))
        if len(self._waiting) == 1:
            task = asyncio.create_task(self._ask(), name="store-joined")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return await answer

    async def _ask(self) -> None:
        quiet, known = 0, 0
        while quiet < _QUIET_TURNS:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == known else 0
            known = len(self._waiting)
        waiting, self._waiting = self._waiting, []
        sql, parameters = joined([(sql, given) for sql, given, _ in waiting])
        try:
            (row,) = await self._pool.query(sql, parameters)
        except BaseException as error:
            for _, _, answer in waiting:
                if answer.done():
                    continue
                if isinstance(error, Exception):
                    answer.set_exception(error)
                else:
                    answer.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for number, (_, _, answer) in enumerate(waiting):
            if not answer.done():
                answer.set_result(row[f"q{number}"])

    async def _run(self, call: partial[_Result]) -> _Result:
        return await self._pool._run(call)


def joined(queries: list[tuple[str, dict[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """One SELECT with a column `q<number>` for each query: an array of its rows, by column name."""
    columns = []
    parameters: dict[str, Any] = {}
    for number, (sql, given) in enumerate(queries):
        renamed = _PARAMETER.sub(rf"{{q{number}_\1:", sql)
        columns.append(f"(SELECT groupArray(tuple(*)) FROM ({renamed})) AS q{number}")
        parameters |= {f"q{number}_{name}": value for name, value in given.items()}
    listed = ",\n".join(columns)
    return f"SELECT\n{listed}\nSETTINGS enable_named_columns_in_function_tuple = 1", parameters
