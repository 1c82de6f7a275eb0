"""What ingest refused, newest first."""

from __future__ import annotations

from typing import Any

from services.common.store import StorePool
from services.common.tabular import Column, Type

COLUMNS = [
    Column("received_at", Type.TIME),
    Column("topic", Type.TEXT),
    Column("partition", Type.COUNT),
    Column("offset", Type.COUNT),
    Column("reason", Type.TEXT),
    Column("detail", Type.TEXT),
    Column("key", Type.TEXT),
    Column("value", Type.TEXT),
]

REASONS = (
    "invalid_json",
    "schema_violation",
    "unknown_event_name",
    "unsupported_currency",
    "event_time_out_of_range",
    "too_large",
)

_SELECT = """
SELECT
    arrived_at AS received_at,
    topic,
    kafka_partition AS partition,
    kafka_offset AS offset,
    reason,
    detail,
    key,
    value
FROM dead_letters
WHERE ({reason:String} = '' OR reason = {reason:String}) AND ({topic:String} = '' OR topic = {topic:String})
ORDER BY arrived_at DESC, topic, kafka_partition, kafka_offset DESC
LIMIT {limit:UInt32}
"""


async def dead_letter_rows(
    pool: StorePool, *, reason: str | None, topic: str | None, limit: int
) -> list[dict[str, Any]]:
    """Refused records, optionally of one reason and one topic."""
    return await pool.query(_SELECT, {"reason": reason or "", "topic": topic or "", "limit": limit})
