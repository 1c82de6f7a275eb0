"""How far ingest has come: the moment up to which every answer is complete."""

from __future__ import annotations

from services.common.clock import to_ms
from services.common.store import StorePool

_WATERMARK = "SELECT count() AS partitions, min(watermark) AS watermark FROM ingest_progress FINAL"


async def read_watermark(pool: StorePool) -> int | None:
    """Epoch ms: every record that Kafka held before it is counted. None before ingest has first reported."""
    row = (await pool.query(_WATERMARK))[0]
    return to_ms(row["watermark"]) if row["partitions"] else None
