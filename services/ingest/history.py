"""What the tables hold of the ids that arrived: asked about, and loaded into a partition's duplicate filter."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from services.common.store import StorePool
from services.ingest.columns import TABLES
from services.ingest.duplicates import DuplicateFilter

_SLICE_MS = 300_000
_QUERY_ROWS = 500_000
"""About this many ids are in memory as strings at a time, unless more arrived in one block."""

_PARAMETER_BYTES = (128 << 10) - 16
"""What ClickHouse takes as one parameter over HTTP (`http_max_field_value_size`), without its brackets."""

_TIME_BYTES = 16
"""Of a moment in such a parameter: milliseconds since 1970, a comma and a space."""

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
        self,
        filters: Mapping[int, DuplicateFilter],
        arrivals: Mapping[int, Arrivals],
        since: int,
        *,
        besides: Mapping[int, int],
    ) -> None:
        """Lets the filters of some partitions remember what arrived since a moment (epoch milliseconds).

        `besides` names a moment of a partition whose arrivals are left out. All partitions are read at once, since the
        tables are not ordered by them.
        """
        for start, end in _spans([arrivals[each] for each in filters if each in arrivals], since):
            found = await self._store.query_arrow(
                f"""
                SELECT kafka_partition, event_id FROM {self._table}
                WHERE kafka_partition IN {{partitions:Array(UInt16)}}
                  AND arrived_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                  AND arrived_at < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC')
                  AND NOT has(
                      arrayZip({{partitions_besides:Array(UInt16)}}, {{besides:Array(Int64)}}),
                      (kafka_partition, toUnixTimestamp64Milli(arrived_at))
                  )
                """,
                {
                    "partitions": list(filters),
                    "since": start,
                    "until": end,
                    "partitions_besides": list(besides),
                    "besides": list(besides.values()),
                },
            )
            await asyncio.to_thread(_remember, filters, found, start, end - 1)

    async def known(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        """Those of the ids asked about that arrived in `[since, until)` (epoch milliseconds).

        `questions` has the columns `event_id`, `campaign_id` and `event_time`, and no id twice. A repeat nearly always
        is the same bytes again, so its campaign and time are where the tables' order finds it; what is not there is
        looked for among all that arrived, which reads the hashes of the whole horizon.
        """
        known: set[str] = set()
        questions = questions.select(["event_id", "campaign_id", "event_time"]).sort_by("event_time")
        for portion in _portions(questions):
            known |= await self._known_at_their_time(partition, portion, since, until)
        asked = questions.column("event_id")
        left = questions.filter(pc.invert(pc.is_in(asked, value_set=_strings(known))))
        portions = list(_portions(left))
        if len(portions) == 1:
            return known | await self._known_anywhere(partition, portions[0], since, until)
        if portions:
            # Each query would read the whole horizon: rather read it once.
            known |= await self._known_of_all(partition, left.column("event_id").combine_chunks(), since, until)
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

    async def _known_anywhere(self, partition: int, questions: pa.Table, since: int, until: int) -> set[str]:
        return await self._found(
            f"""
            SELECT event_id FROM {self._table}
            WHERE {_ARRIVED}
              AND id_hash IN (SELECT toUInt32(cityHash64(arrayJoin({{ids:Array(String)}}))))
              AND event_id IN {{ids:Array(String)}}
            SETTINGS use_query_condition_cache = 0
            """,
            {
                "partition": partition,
                "since": max(0, since),
                "until": until,
                "ids": questions.column("event_id").to_pylist(),
            },
        )

    async def _found(self, sql: str, parameters: dict[str, object]) -> set[str]:
        # Every question is another, so its cached conditions would only push out those of the readers.
        found = await self._store.query_arrow(sql, parameters)
        return set(found.column("event_id").to_pylist())

    async def _known_of_all(self, partition: int, ids: pa.StringArray, since: int, until: int) -> set[str]:
        known: set[str] = set()
        arrivals = await self.arrivals([partition], since)
        for start, end in _spans(arrivals.values(), since):
            held = await self._store.query_arrow(
                f"SELECT event_id FROM {self._table} WHERE {_ARRIVED}",
                {"partition": partition, "since": start, "until": min(end, until)},
            )
            found = held.column("event_id")
            known.update(found.filter(pc.is_in(found, value_set=ids)).to_pylist())
        return known


def _remember(filters: Mapping[int, DuplicateFilter], rows: pa.Table, first: int, last: int) -> None:
    partitions = rows.column("kafka_partition")
    for partition, seen in filters.items():
        seen.remember(rows.column("event_id").filter(pc.equal(partitions, partition)), first, last)


def _portions(questions: pa.Table) -> Iterator[pa.Table]:
    """Cuts questions so that the ids of each fit into a parameter, and so do its campaigns and its times."""
    # Every character of an id may have to be escaped; texts are quoted, and a comma and a space follow.
    ids = pc.add(pc.multiply(pc.binary_length(questions.column("event_id")), 2), 4)
    campaigns = pc.add(pc.binary_length(pc.cast(questions.column("campaign_id"), pa.string())), 4)
    sizes = pc.max_element_wise(ids, campaigns, _TIME_BYTES)
    ends = pc.cumulative_sum(pc.cast(sizes, pa.int64())).to_numpy()
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(ends.searchsorted(before + _PARAMETER_BYTES, "right")))
        yield questions.slice(start, end - start)
        start = end


def _strings(values: set[str]) -> pa.StringArray:
    return pa.array(sorted(values), pa.string())


def _spans(arrivals: Iterable[Arrivals], since: int) -> Iterator[tuple[int, int]]:
    """Cuts the time from `since` on into spans of few rows; slices without rows are left out."""
    slices = Counter[int]()
    for each in arrivals:
        slices.update(each.slices)
    start = end = rows = 0
    for slice_, count in sorted(slices.items()):
        parts = -(-count // _QUERY_ROWS)
        for part in range(parts):
            low, high = slice_ + _SLICE_MS * part // parts, slice_ + _SLICE_MS * (part + 1) // parts
            if high <= since:
                continue
            if rows and rows + count // parts > _QUERY_ROWS:
                yield start, end
                rows = 0
            if not rows:
                start = max(low, since)
            end, rows = high, rows + count // parts
    if rows:
        yield start, end
