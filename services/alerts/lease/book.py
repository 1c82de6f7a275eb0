"""Leases in ClickHouse."""

from __future__ import annotations

import pyarrow as pa

from services.alerts import queries
from services.alerts.lease.protocol import Standing
from services.common.store import StorePool


class StoredLeases:
    """A `LeaseBook` of one store. Every time in it is the server's own, as a default of the column."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool

    async def read(self) -> Standing | None:
        rows = await self._pool.query(queries.LEASE)
        if not rows:
            return None
        (row,) = rows
        return Standing(
            row["term"], row["holder"], row["renewed_at"], bool(row["released"]), row["earlier_at"], row["now"]
        )

    async def take(self, term: int, holder: str) -> None:
        await self._pool.insert("alert_leases", _row(term, holder), token=f"term:{term}")

    async def renew(self, term: int, holder: str) -> None:
        await self._say(term, holder, released=False)

    async def release(self, term: int, holder: str) -> None:
        await self._say(term, holder, released=True)

    async def _say(self, term: int, holder: str, *, released: bool) -> None:
        row = _row(term, holder).append_column("released", pa.array([released], pa.bool_()))
        await self._pool.insert("alert_lease_renewals", row)


def _row(term: int, holder: str) -> pa.Table:
    return pa.table({"term": pa.array([term], pa.uint64()), "holder": pa.array([holder], pa.string())})
