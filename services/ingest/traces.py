"""The spans of a block: fetch, decode, commit, insert, within one that links to the records' own traces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.common import tracing
from services.ingest.lane import Block


@contextmanager
def traced_block(block: Block, fetch_began: int | None, sealed: int) -> Iterator[None]:
    """The span of a block while it is written.

    A block has the records of many producers, so it is nobody's child: it has a trace of its own, with links to those
    of its records. Rows tell their topic, partition and offset, and so do the attributes. Times are epoch milliseconds.
    """
    if not tracing.is_on():
        yield
        return
    opened = block.id.opened_at
    began = opened if fetch_began is None else min(fetch_began, opened)
    with tracing.span(
        f"block {block.kind}",
        kind="consumer",
        links=[each.traceparent for each in block.traces],
        start_ms=began,
        attributes={
            "messaging.system": "kafka",
            "messaging.destination.name": block.id.topic,
            "messaging.destination.partition.id": str(block.id.partition),
            "messaging.batch.message_count": block.records,
            "warroom.block.start": block.id.start,
            "warroom.block.end": block.id.end,
            "warroom.block.refusals": len(block.refusals),
        },
    ):
        tracing.past("fetch", began, opened)
        tracing.past("decode", opened, sealed)
        yield
