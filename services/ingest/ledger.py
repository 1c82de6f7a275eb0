"""A block's row in the ledger: what `warroom audit` holds the tables against."""

from __future__ import annotations

import pyarrow as pa

from services.ingest.columns import moment
from services.ingest.lane import Block

TABLE = "ingest_blocks"


def entry(block: Block) -> pa.Table:
    """The row that says that the block is in the tables. A block that is built again has the same."""
    counts = {
        "start_offset": block.id.start,
        "end_offset": block.id.end,
        "records": block.records,
        "rows": block.accepted,
        "refusals": len(block.refusals),
        "duplicates": block.duplicates,
    }
    return pa.table(
        {
            "topic": pa.array([block.id.topic]),
            "kafka_partition": pa.array([block.id.partition], pa.uint16()),
            "kind": pa.array([block.kind]),
            "incarnation": pa.array([block.id.incarnation]),
            "opened_at": moment(block.id.opened_at, 1),
            **{name: pa.array([count], pa.uint64()) for name, count in counts.items()},
        }
    )
