"""Whether an event id counted twice within the duplicate horizon."""

from __future__ import annotations

from collections.abc import Iterator

from services.audit.counts import moment_text
from services.audit.ledger import Lane
from services.audit.report import EXAMPLES, Check, Problem
from services.audit.scope import EVENT_TABLES, Scope
from services.common.store import Store

_MOST_IDS = 4_000_000
"""About this many ids are in the store's memory at a time: they are looked at by hash, one share after another."""


def repeats(store: Store, scope: Scope, kind: str, lanes: list[Lane]) -> Iterator[Problem]:
    """Ids of one kind of event that arrived twice in one partition, the later time in the period and within the
    horizon of the time before. Blocks; raises `StoreError`."""
    table = EVENT_TABLES[kind]
    # Tables do not name the topic; the ledger does, by arrival.
    mine = (
        "AND (kafka_partition, arrived_at) IN (SELECT kafka_partition, opened_at FROM ingest_blocks "
        "WHERE topic IN {topics:Array(String)} AND opened_at >= since AND opened_at < until)"
        if scope.topics
        else ""
    )
    period = {"start": scope.start, "end": scope.end, "since": max(0, scope.start - scope.horizon_ms)}
    bounds = (
        "fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS since, fromUnixTimestamp64Milli({end:Int64}, 'UTC') AS until"
    )
    (size,) = store.query(
        f"WITH {bounds} SELECT count() AS rows FROM {table} WHERE arrived_at >= since AND arrived_at < until", period
    )
    looked_at = f"""
        arrived_at >= since AND arrived_at < until
        AND cityHash64(event_id) % {{shares:UInt64}} = {{share:UInt64}}
        {mine}
    """
    shares = 1 + int(size["rows"]) // _MOST_IDS
    topics = {lane.partition: lane.topic for lane in lanes if lane.kind == kind}
    for share in range(shares):
        rows = store.query(
            f"""
            WITH {bounds}
            SELECT
                kafka_partition,
                event_id,
                arraySort(groupArray(toUnixTimestamp64Milli(arrived_at))) AS arrivals,
                arrayFilter(
                    (later, earlier) -> later >= {{start:Int64}} AND later - earlier <= {{horizon:Int64}},
                    arrayPopFront(arrivals),
                    arrayPopBack(arrivals)
                ) AS again,
                count() OVER () AS ids
            FROM {table}
            WHERE {looked_at}
              -- Few enough to hold: nearly every id is there once, and its hash is all that has to be remembered.
              AND (kafka_partition, cityHash64(event_id)) IN
              (
                  SELECT kafka_partition, cityHash64(event_id)
                  FROM {table}
                  WHERE {looked_at}
                  GROUP BY kafka_partition, cityHash64(event_id)
                  HAVING count() > 1
              )
            GROUP BY kafka_partition, event_id
            HAVING notEmpty(again)
            ORDER BY kafka_partition, event_id
            LIMIT {{limit:UInt64}}
            SETTINGS max_threads = 2
            """,
            {
                **period,
                "horizon": scope.horizon_ms,
                "shares": shares,
                "share": share,
                "limit": EXAMPLES,
                "topics": sorted({lane.topic for lane in lanes}),
            },
        )
        for row in rows:
            yield Problem(
                Check.REPEATS,
                f"{topics.get(row['kafka_partition'], table)}[{row['kafka_partition']}]",
                f"the event id {row['event_id']!r} counted {len(row['again']) + 1} times, "
                f"at {', '.join(map(moment_text, row['arrivals'][:4]))}",
            )
        for _ in range(int(rows[0]["ids"]) - len(rows) if rows else 0):
            yield Problem(Check.REPEATS, table, "another event id counted twice")
