"""What the tables hold of the ids that arrived: asked about, and loaded into a partition's duplicate filter."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from services.common.store import StorePool
from services.ingest.columns import TABLES
from services.ingest.duplicates import DuplicateFilter

_SLICE_MS = 300_000
_QUERY_ROWS = 500_000
"""About this many ids are in memory as strings at a time; five minutes are never cut."""

_QUESTIONS = 1_000
"""Ids of one query: ClickHouse takes parameters of 128 KiB (`http_max_field_value_size`)."""

_ARRIVED = """
    kafka_partition = {partition:UInt16}
    AND arrived_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND arrived_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
"""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived in one partition: rows by slice of time (epoch milliseconds of its start), and when the last one
    did."""

    slices: dict[int, int]
    last: int

    def since(self, moment: int) -> int:
        """How many rows arrived from then on, or little before."""
        return sum(rows for start, rows in self.slices.items() if start + _SLICE_MS > moment)


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
                intDiv(toUnixTimestamp64Milli(arrived_at), {_SLICE_MS}) * {_SLICE_MS} AS slice,
                count() AS rows,
                max(toUnixTimestamp64Milli(arrived_at)) AS last
            FROM {self._table}
            WHERE arrived_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
              AND kafka_partition IN {{partitions:Array(UInt16)}}
            GROUP BY kafka_partition, slice
            """,
            {"since": max(0, since), "partitions": list(partitions)},
        )
        slices: dict[int, dict[int, int]] = defaultdict(dict)
        last: dict[int, int] = defaultdict(int)
        for row in rows:
            partition = row["kafka_partition"]
            slices[partition][row["slice"]] = row["rows"]
            last[partition] = max(last[partition], row["last"])
        return {partition: Arrivals(found, last[partition]) for partition, found in slices.items()}

    async def load(
        self, seen: DuplicateFilter, partition: int, arrivals: Arrivals, since: int, *, besides: int | None = None
    ) -> int:
        """Remembers the ids that arrived since a moment (epoch milliseconds), those at `besides` left out.

        Returns how many there were.
        """
        loaded = 0
        for start, end in _spans(arrivals.slices, since):
            ids = await self._ids(partition, start, end, besides)
            await asyncio.to_thread(seen.remember, ids, start, end - 1)
            loaded += len(ids)
        return loaded

    async def known(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        """Those of the ids asked about that arrived in `[since, until)` (epoch milliseconds).

        `questions` has the columns `event_id`, `campaign_id` and `event_time`, and no id twice. A repeat nearly always
        is the same bytes again, so its campaign and time are where the tables' order finds it; what is not there is
        looked for among all that arrived, which reads the whole horizon.
        """
        known: set[str] = set()
        questions = questions.select(["event_id", "campaign_id", "event_time"]).sort_by("event_time")
        for at in range(0, questions.num_rows, _QUESTIONS):
            known |= await self._known_at_their_time(partition, questions.slice(at, _QUESTIONS), since, until)
        asked = questions.column("event_id")
        left = asked.filter(pc.invert(pc.is_in(asked, value_set=_strings(known))))
        if not len(left):
            return known
        if len(left) <= _QUESTIONS:
            return known | await self._known_anywhere(partition, left, since, until)
        # Too many for one query, and each would read the whole horizon: rather read it once.
        arrivals = (await self.arrivals([partition], since)).get(partition)
        for start, end in _spans(arrivals.slices if arrivals else {}, since):
            if start < until:
                held = await self._ids(partition, start, min(end, until))
                known.update(held.filter(pc.is_in(held, value_set=left.combine_chunks())).to_pylist())
        return known

    async def _known_at_their_time(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        return await self._found(
            f"""
            SELECT event_id FROM {self._table}
            WHERE {_ARRIVED}
              AND campaign_id IN {{campaigns:Array(String)}}
              AND event_time IN (SELECT fromUnixTimestamp64Milli(arrayJoin({{times:Array(Int64)}}), 'UTC'))
              AND event_id IN {{ids:Array(String)}}
            SETTINGS use_query_condition_cache = 0
            """,
            {
                "partition": partition,
                "since": max(0, since),
                "until": until,
                "campaigns": questions.column("campaign_id").unique().to_pylist(),
                "times": questions.column("event_time").cast(pa.int64()).unique().to_pylist(),
                "ids": questions.column("event_id").to_pylist(),
            },
        )

    async def _known_anywhere(self, partition: int, ids: pa.ChunkedArray, since: int, until: int) -> set[str]:
        return await self._found(
            f"""
            SELECT event_id FROM {self._table}
            WHERE {_ARRIVED} AND event_id IN {{ids:Array(String)}}
            SETTINGS use_query_condition_cache = 0
            """,
            {"partition": partition, "since": max(0, since), "until": until, "ids": ids.to_pylist()},
        )

    async def _found(self, sql: str, parameters: dict[str, object]) -> set[str]:
        # Every question is another, so its cached conditions would only push out those of the readers.
        found = await self._store.query_arrow(sql, parameters)
        return set(found.column("event_id").to_pylist())

    async def _ids(self, partition: int, since: int, until: int, besides: int | None = None) -> pa.ChunkedArray:
        """The ids that arrived in `[since, until)`, but for those at `besides`."""
        found = await self._store.query_arrow(
            f"""
            SELECT event_id FROM {self._table}
            WHERE {_ARRIVED} AND arrived_at != fromUnixTimestamp64Milli({{besides:Int64}}, 'UTC')
            """,
            {"partition": partition, "since": since, "until": until, "besides": besides or 0},
        )
        return found.column("event_id")


def _strings(values: set[str]) -> pa.StringArray:
    return pa.array(sorted(values), pa.string())


def _spans(slices: dict[int, int], since: int) -> Iterator[tuple[int, int]]:
    """Cuts the time from `since` on into spans of few rows; slices without rows are left out."""
    start = end = rows = 0
    for slice_, count in sorted(slices.items()):
        if slice_ + _SLICE_MS <= since:
            continue
        if rows and rows + count > _QUERY_ROWS:
            yield start, end
            rows = 0
        if not rows:
            start = max(slice_, since)
        end, rows = slice_ + _SLICE_MS, rows + count
    if rows:
        yield start, end
