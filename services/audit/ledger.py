"""Reads the ledger, and what the tables hold of its blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.audit.counts import Claims, Held
from services.audit.ranges import Recorded
from services.audit.scope import EVENT_TABLES, Scope
from services.common.store import Store

HOUR_MS = 3_600_000

_COLUMNS = (
    "incarnation, toUnixTimestamp64Milli(opened_at) AS opened, start_offset, end_offset, records, rows, refusals, "
    "duplicates"
)


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One topic-partition; `kind` says which table its events are in."""

    topic: str
    partition: int
    kind: str


Arrivals = dict[tuple[str, int], dict[int, Held]]
"""By kind (or topic, of dead letters) and partition, then by arrival."""


class Ledger:
    """`ingest_blocks` as it was when this was made: blocks entered later are left out.

    All calls block, and raise `StoreError`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        progress = {
            (row["topic"], row["kafka_partition"]): (row["next_offset"], row["said_at"])
            for row in store.query(
                """
                SELECT
                    topic,
                    kafka_partition,
                    argMax(next_offset, updated_at) AS next_offset,
                    toUnixTimestamp64Milli(max(updated_at)) AS said_at
                FROM ingest_progress
                GROUP BY topic, kafka_partition
                """
            )
        }
        # After the progress: what ingest said to be done was in the ledger before.
        self.heads: dict[Lane, int] = {}
        begun: dict[str, int] = {}
        for row in store.query(
            """
            SELECT
                topic,
                kafka_partition,
                any(kind) AS kind,
                toUnixTimestamp64Milli(min(opened_at)) AS first,
                toUnixTimestamp64Milli(max(opened_at)) AS last
            FROM ingest_blocks
            GROUP BY topic, kafka_partition
            """
        ):
            self.heads[Lane(row["topic"], row["kafka_partition"], row["kind"])] = row["last"]
            begun[row["topic"]] = min(row["first"], begun.get(row["topic"], row["first"]))
        self._begun = begun
        self._progress = progress

    def claims(self, lane: Lane, scope: Scope) -> Claims:
        """See `Claims`; the ledger begins with the first block of any topic that is audited."""
        next_offset, said_at = self._progress.get((lane.topic, lane.partition), (0, 0))
        return Claims(self.heads.get(lane), self.begun(scope), next_offset, said_at)

    def begun(self, scope: Scope) -> int:
        """Arrival of the ledger's first block; far in the future while it is empty."""
        return min((first for topic, first in self._begun.items() if scope.covers(topic)), default=1 << 62)

    def hours(self, scope: Scope) -> dict[int, int]:
        """How many blocks were opened, by the hour's start."""
        rows = self._store.query(
            f"""
            SELECT intDiv(toUnixTimestamp64Milli(opened_at), {HOUR_MS}) * {HOUR_MS} AS hour, count() AS blocks
            FROM ingest_blocks
            WHERE {_between("opened_at")}
            GROUP BY hour
            """,
            {"start": scope.start, "end": scope.end},
        )
        return {row["hour"]: row["blocks"] for row in rows}

    def before(self, lane: Lane, at: int) -> Recorded | None:
        """The last block of a lane that was opened before a moment."""
        rows = self._store.query(
            f"""
            SELECT {_COLUMNS}
            FROM ingest_blocks
            WHERE topic = {{topic:String}} AND kafka_partition = {{partition:UInt16}}
              AND opened_at < fromUnixTimestamp64Milli({{at:Int64}}, 'UTC')
            ORDER BY opened_at DESC, start_offset DESC
            LIMIT 1
            """,
            {"topic": lane.topic, "partition": lane.partition, "at": at},
        )
        return _recorded(list(rows[0].values())) if rows else None

    def blocks(self, start: int, end: int) -> dict[Lane, list[Recorded]]:
        """The blocks of every lane that were opened in `[start, end)`, in that order."""
        table = self._store.query_arrow(
            f"""
            SELECT topic, kafka_partition, {_COLUMNS}
            FROM ingest_blocks
            WHERE {_between("opened_at")}
            ORDER BY topic, kafka_partition, opened_at, start_offset
            """,
            {"start": start, "end": end},
        )
        lanes = {(lane.topic, lane.partition): lane for lane in self.heads}
        found: dict[Lane, list[Recorded]] = defaultdict(list)
        for topic, partition, *fields in zip(*(column.to_pylist() for column in table.columns), strict=True):
            lane = lanes.get((topic, partition))
            if lane is not None and fields[1] <= self.heads[lane]:
                found[lane].append(_recorded(fields))
        return found

    def held(self, start: int, end: int) -> Arrivals:
        """What the event tables hold that arrived in `[start, end)`, by kind and partition."""
        found: Arrivals = {}
        for kind, table in EVENT_TABLES.items():
            for partition, arrived, held in self._grouped(table, "kafka_partition", start, end):
                found.setdefault((kind, partition[0]), {})[arrived] = held
        return found

    def letters(self, start: int, end: int) -> Arrivals:
        """What `dead_letters` holds that arrived in `[start, end)`, by topic and partition."""
        found: Arrivals = {}
        for (topic, partition), arrived, held in self._grouped("dead_letters", "topic, kafka_partition", start, end):
            found.setdefault((topic, partition), {})[arrived] = held
        return found

    def _grouped(self, table: str, keys: str, start: int, end: int) -> Iterator[tuple[list[Any], int, Held]]:
        rows = self._store.query_arrow(
            f"""
            SELECT
                {keys},
                toUnixTimestamp64Milli(arrived_at) AS arrived,
                count() AS held,
                min(kafka_offset) AS first,
                max(kafka_offset) AS last
            FROM {table}
            WHERE {_between("arrived_at")}
            GROUP BY {keys}, arrived
            SETTINGS max_threads = 2
            """,
            {"start": start, "end": end},
        )
        for *key, arrived, held, first, last in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            yield key, arrived, Held(held, first, last)

    def brought_again(self, lane: Lane, block: Recorded, until: int) -> int:
        """How many rows and dead letters a block brought of the offsets before `until`."""
        rows = self._store.query(
            f"""
            SELECT sum(n) AS n
            FROM
            (
                SELECT count() AS n
                FROM {EVENT_TABLES[lane.kind]}
                WHERE arrived_at = fromUnixTimestamp64Milli({{at:Int64}}, 'UTC')
                  AND kafka_partition = {{partition:UInt16}} AND kafka_offset < {{until:UInt64}}
                UNION ALL
                SELECT count() AS n
                FROM dead_letters
                WHERE arrived_at = fromUnixTimestamp64Milli({{at:Int64}}, 'UTC') AND topic = {{topic:String}}
                  AND kafka_partition = {{partition:UInt16}} AND kafka_offset < {{until:UInt64}}
            )
            """,
            {"at": block.opened_at, "partition": lane.partition, "until": until, "topic": lane.topic},
        )
        return int(rows[0]["n"])


def _between(column: str) -> str:
    return (
        f"{column} >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC') "
        f"AND {column} < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC')"
    )


def _recorded(fields: list[str | int]) -> Recorded:
    return Recorded(*fields)  # type: ignore[arg-type]  # a row's columns in the order of the fields
