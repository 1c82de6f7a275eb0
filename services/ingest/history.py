"""Fills a partition's duplicate filter with the ids that the tables hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from services.common.store import StorePool
from services.ingest.columns import TABLES
from services.ingest.duplicates import DuplicateFilter

_HOUR_MS = 3_600_000
_QUERY_ROWS = 500_000
"""About this many ids are in memory as strings at a time; an hour is never cut."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived in one partition: rows by hour (epoch milliseconds of its start), and when the last one did."""

    hours: dict[int, int]
    last: int


class History:
    """The ids of one kind of event in the tables. Raises `StoreUnavailable` and `StoreRejected`."""

    def __init__(self, store: StorePool, kind: str) -> None:
        self._store = store
        self._table = TABLES[kind]

    async def arrivals(self, partitions: Collection[int], since: int) -> dict[int, Arrivals]:
        """What arrived since a moment in epoch milliseconds, by partition; partitions without rows are absent."""
        rows = await self._store.query(
            f"""
            SELECT
                kafka_partition,
                intDiv(toUnixTimestamp64Milli(arrived_at), {_HOUR_MS}) * {_HOUR_MS} AS hour,
                count() AS rows,
                max(toUnixTimestamp64Milli(arrived_at)) AS last
            FROM {self._table}
            WHERE arrived_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
              AND kafka_partition IN {{partitions:Array(UInt16)}}
            GROUP BY kafka_partition, hour
            """,
            {"since": max(0, since), "partitions": list(partitions)},
        )
        hours: dict[int, dict[int, int]] = defaultdict(dict)
        last: dict[int, int] = defaultdict(int)
        for row in rows:
            partition = row["kafka_partition"]
            hours[partition][row["hour"]] = row["rows"]
            last[partition] = max(last[partition], row["last"])
        return {partition: Arrivals(by_hour, last[partition]) for partition, by_hour in hours.items()}

    async def load(self, seen: DuplicateFilter, partition: int, arrivals: Arrivals, since: int, until: int) -> int:
        """Remembers the ids that arrived in `[since, until)` (epoch milliseconds); returns how many there were."""
        loaded = 0
        for start, end in _spans(arrivals.hours, since, until, seen.horizon_ms):
            ids = await self._store.query_arrow(
                f"""
                SELECT event_id FROM {self._table}
                WHERE kafka_partition = {{partition:UInt16}}
                  AND arrived_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
                  AND arrived_at < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC')
                """,
                {"partition": partition, "start": start, "end": end},
            )
            seen.remember(ids.column("event_id").to_pylist(), start)
            loaded += ids.num_rows
        return loaded


def _spans(hours: dict[int, int], since: int, until: int, horizon: int) -> Iterator[tuple[int, int]]:
    """Cuts `[since, until)` into spans of few rows, none across two horizons; hours without rows are left out."""
    start = end = rows = 0
    for hour, count in sorted(hours.items()):
        low, high = max(hour, since), min(hour + _HOUR_MS, until)
        if low >= high:
            continue
        for cut in (*range((low // horizon + 1) * horizon, high, horizon), high):
            if rows and (rows + count > _QUERY_ROWS or start // horizon != low // horizon):
                yield start, end
                rows = 0
            if not rows:
                start = low
            end, low, rows = cut, cut, rows + count
    if rows:
        yield start, end
