"""What ClickHouse says of its own disks and of Warroom's tables."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from services.common.errors import StoreRejected
from services.common.store import StorePool

logger = logging.getLogger(__name__)

# Of several servers the disk of a name that has least room.
_DISKS = """
SELECT name, toFloat64(min(d.free_space)) AS free, toFloat64(argMin(d.total_space, d.free_space)) AS size
FROM system.disks AS d
GROUP BY name
"""
_TABLES = """
SELECT table, sum(bytes) AS bytes, sum(rows) AS rows, max(parts) AS parts
FROM
(
    SELECT table, sum(bytes_on_disk) AS bytes, sum(p.rows) AS rows, count() AS parts
    FROM system.parts AS p
    WHERE active AND database = currentDatabase()
    GROUP BY table, partition_id, hostName()
)
GROUP BY table
"""


async def store_health(pool: StorePool) -> dict[str, dict[tuple[str, ...], float]]:
    """Samples by family and labels. Empty where the store's user may not read the system tables, which is logged.

    Raises what `StorePool.query` raises when the store does not answer.
    """
    try:
        disks, tables = await pool.query(_DISKS), await pool.query(_TABLES)
    except StoreRejected as error:
        logger.warning("the store does not tell of its disks and tables", extra={"error": str(error)})
        return {}
    samples: Mapping[str, dict[tuple[str, ...], float]] = {
        "warroom_store_disk_free_bytes": {(row["name"],): row["free"] for row in disks},
        "warroom_store_disk_size_bytes": {(row["name"],): row["size"] for row in disks},
        "warroom_store_table_bytes": {(row["table"],): float(row["bytes"]) for row in tables},
        "warroom_store_table_rows": {(row["table"],): float(row["rows"]) for row in tables},
        "warroom_store_table_parts": {(row["table"],): float(row["parts"]) for row in tables},
    }
    return dict(samples)
