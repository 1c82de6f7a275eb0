"""Reads dead letters from the store, a page at a time. Values are read apart, since one may be megabytes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from services.common.clock import to_ms
from services.common.letters.letter import Cursor, Letter, Selection
from services.common.letters.place import Place
from services.common.store import StorePool

_ORDER = "arrived_at {way}, topic {way}, kafka_partition {way}, kafka_offset {way}"

_DONE = """
SELECT topic, kafka_partition, kafka_offset, arrived_at
FROM dead_letter_redrives
WHERE step = 'done'
"""

_PAGE = """
SELECT
    page.arrived_at AS arrived_at,
    toString(page.topic) AS topic,
    page.kafka_partition AS kafka_partition,
    page.kafka_offset AS kafka_offset,
    toString(reason) AS reason,
    detail,
    key,
    key_base64,
    value_bytes,
    redriven,
    redriven_at,
    to_partition,
    to_offset
FROM
(
    SELECT arrived_at, topic, kafka_partition, kafka_offset, reason, detail, key, key_base64, value_bytes
    FROM dead_letters
    WHERE {where}
    ORDER BY {order}
    LIMIT {{limit:UInt32}}
) AS page
LEFT JOIN
(
    SELECT
        topic,
        kafka_partition,
        kafka_offset,
        arrived_at,
        1 AS redriven,
        max(at) AS redriven_at,
        argMax(r.to_partition, at) AS to_partition,
        argMax(r.to_offset, at) AS to_offset
    FROM dead_letter_redrives AS r
    WHERE step = 'done'
    GROUP BY topic, kafka_partition, kafka_offset, arrived_at
) AS done USING (topic, kafka_partition, kafka_offset, arrived_at)
ORDER BY {order}
"""

_IDENTITY = "(arrived_at, topic, kafka_partition, kafka_offset)"
_GIVEN = """
(
    SELECT arrayJoin(arrayZip(
        arrayMap(ms -> fromUnixTimestamp64Milli(ms, 'UTC'), {moments:Array(Int64)}),
        {topics:Array(String)},
        {partitions:Array(UInt16)},
        {offsets:Array(UInt64)}))
)
"""

_VALUES = f"""
SELECT toString(topic) AS topic, kafka_partition, kafka_offset, arrived_at, value
FROM dead_letters
WHERE {_IDENTITY} IN {_GIVEN}
    AND arrived_at >= fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
    AND arrived_at <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC')
"""


class LetterBook:
    """The refused records of a store. Every call raises `StoreError`."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool

    async def page(
        self, selection: Selection, *, limit: int, after: Cursor | None = None, newest_first: bool
    ) -> list[Letter]:
        """At most `limit` letters in the order of their receipt or against it, from behind `after`."""
        where, parameters = _conditions(selection)
        if after is not None:
            where.append(
                f"{_IDENTITY} {'<' if newest_first else '>'} (fromUnixTimestamp64Milli({{moment:Int64}}, 'UTC'), "
                "{after_topic:String}, {after_partition:UInt16}, {after_offset:UInt64})"
            )
            parameters |= {
                "moment": after.received_at,
                "after_topic": after.place.topic,
                "after_partition": after.place.partition,
                "after_offset": after.place.offset,
            }
        return await self._letters(where, parameters, limit, newest_first=newest_first)

    async def find(self, place: Place) -> list[Letter]:
        """The letters of one place, the newest first: more than one where its topic was created anew."""
        where = [
            "topic = {topic:String}",
            "kafka_partition = {partition:UInt16}",
            "kafka_offset = {offset:UInt64}",
        ]
        parameters = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
        return await self._letters(where, parameters, 100, newest_first=True)

    async def values(self, letters: Sequence[Letter]) -> dict[tuple[Place, int], bytes]:
        """The records' values by the letters' identity."""
        if not letters:
            return {}
        moments = [letter.received_at for letter in letters]
        rows = await self._pool.query(
            _VALUES,
            {
                "moments": moments,
                "topics": [letter.place.topic for letter in letters],
                "partitions": [letter.place.partition for letter in letters],
                "offsets": [letter.place.offset for letter in letters],
                "first": min(moments),
                "last": max(moments),
            },
        )
        return {
            (Place(row["topic"], row["kafka_partition"], row["kafka_offset"]), to_ms(row["arrived_at"])): (
                base64.b64decode(row["value"])
            )
            for row in rows
        }

    async def _letters(
        self, where: list[str], parameters: dict[str, Any], limit: int, *, newest_first: bool
    ) -> list[Letter]:
        order = _ORDER.format(way="DESC" if newest_first else "ASC")
        sql = _PAGE.format(where=" AND ".join(where) or "1", order=order)
        return [_letter(row) for row in await self._pool.query(sql, {**parameters, "limit": limit})]


def _conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    parameters: dict[str, Any] = {}
    for column, value in (("reason", selection.reason), ("topic", selection.topic)):
        if value is not None:
            where.append(f"{column} = {{{column}:String}}")
            parameters[column] = value
    for name, sign, moment in (("start", ">=", selection.start_ms), ("end", "<", selection.end_ms)):
        if moment is not None:
            where.append(f"arrived_at {sign} fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')")
            parameters[name] = moment
    if selection.campaigns:
        where.append("match(JSONExtractString(tryBase64Decode(value), 'campaign_id'), {campaigns:String})")
        parameters["campaigns"] = selection.campaigns
    if selection.redriven is not None:
        among = "IN" if selection.redriven else "NOT IN"
        where.append(f"(topic, kafka_partition, kafka_offset, arrived_at) {among} ({_DONE})")
    return where, parameters


def _letter(row: dict[str, Any]) -> Letter:
    key = row["key"]
    kept = row["key_base64"]
    redriven = bool(row["redriven"])
    return Letter(
        place=Place(row["topic"], row["kafka_partition"], row["kafka_offset"]),
        received_at=to_ms(row["arrived_at"]),
        reason=row["reason"],
        detail=row["detail"],
        key=key,
        key_bytes=base64.b64decode(kept) if kept else None if key is None else key.encode(),
        value_bytes=row["value_bytes"],
        redriven_at=to_ms(row["redriven_at"]) if redriven else None,
        redriven_to=Place(row["topic"], row["to_partition"], row["to_offset"]) if redriven else None,
    )
