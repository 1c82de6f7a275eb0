"""Questions that are asked together travel together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.common.errors import StoreRejected
from services.common.store import Store, StorePool
from services.common.store.interface import Parameters, Row
from services.common.store.joined import JoinedPool

QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("SELECT number AS n, toDecimal128(n, 2) AS amount FROM numbers({most:UInt32}) ORDER BY n DESC", {"most": 600}),
    ("SELECT 1 AS one WHERE {flag:UInt8}", {"flag": 0}),
    ("SELECT {most:String} AS text, toLowCardinality('x') AS low, CAST(NULL, 'Nullable(String)') AS n", {"most": "'}"}),
    ("SELECT toDateTime64('2026-11-11 00:00:00.125', 3, 'UTC') AS moment", {}),
    (
        "WITH x AS (SELECT arrayJoin({names:Array(String)}) AS name) "
        "SELECT name, count() AS c FROM x GROUP BY name ORDER BY name",
        {"names": ["b", "a", "b"]},
    ),
]


class Counted(StorePool):
    """Counts the statements that reach the store."""

    statements = 0

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        self.statements += 1
        return await super().query(sql, parameters)


@pytest.fixture
async def pool(store: Store) -> AsyncIterator[Counted]:
    pool = Counted(store, threads=2, name="test")
    yield pool
    await pool.close()


async def test_each_gets_what_it_would_have_got_alone(pool: Counted) -> None:
    """Catches: parameters of one name that meet, rows out of order, types that an array loses."""
    alone = [await pool.query(sql, given) for sql, given in QUERIES]
    before = pool.statements
    joined = JoinedPool(pool)

    async def later(sql: str, given: dict[str, Any]) -> list[Row]:
        return (await asyncio.gather(joined.query(sql, given)))[0]

    together = await asyncio.gather(*(later(sql, given) for sql, given in QUERIES))
    assert together == alone
    assert pool.statements == before + 1
    assert await joined.query(*QUERIES[0]) == alone[0]


async def test_one_that_is_refused_fails_all_and_the_next_are_asked_again(pool: Counted) -> None:
    """Catches: an answer that is waited for for ever."""
    joined = JoinedPool(pool)
    asked = await asyncio.gather(
        joined.query("SELECT 1 AS one"), joined.query("SELECT nonsense FROM nowhere"), return_exceptions=True
    )
    assert all(isinstance(answer, StoreRejected) for answer in asked)
    assert await joined.query("SELECT 1 AS one") == [{"one": 1}]
