"""Runs of Kafka records, as light as they can be: what ingest moves from the consumer to its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHUNK_RECORDS = 1024
"""A run is closed once it holds this many records, and holds less than twice as many.

Its events are decoded, checked and turned into columns before the next run is touched: as objects so few of them fit
into the processor's cache, which makes all three a third cheaper than with four times as many. Nor does handling one
hold up the event loop.
"""

CHUNK_BYTES = 1 << 20
"""A run is closed once it holds this many bytes of values."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of records of one topic-partition, in offset order.

    `offsets` may have gaps (compaction, transaction markers); `next_offset` is where the log goes on after the run,
    gaps included. `timestamp` is the Kafka time of its first record in epoch milliseconds.
    """

    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]
    offsets: Sequence[int]
    timestamp: int
    size: int
    next_offset: int

    def __len__(self) -> int:
        return len(self.values)

    def split(self, count: int) -> tuple[Chunk, Chunk]:
        """The first `count` records, and the rest; `0 < count < len(self)`."""
        head = sum(len(value) for value in self.values[:count] if value is not None)
        boundary = self.offsets[count]
        return (
            Chunk(
                self.values[:count],
                self.keys[:count],
                self.offsets[:count],
                self.timestamp,
                head,
                boundary,
            ),
            # The time of the rest's own first record is not kept: the earlier one only makes claims more modest.
            Chunk(
                self.values[count:],
                self.keys[count:],
                self.offsets[count:],
                self.timestamp,
                self.size - head,
                self.next_offset,
            ),
        )

    @classmethod
    def joined(cls, chunks: Sequence[Chunk]) -> Chunk:
        """One chunk of several that follow each other."""
        if len(chunks) == 1:
            return chunks[0]
        return cls(
            [value for chunk in chunks for value in chunk.values],
            [key for chunk in chunks for key in chunk.keys],
            [offset for chunk in chunks for offset in chunk.offsets],
            chunks[0].timestamp,
            sum(chunk.size for chunk in chunks),
            chunks[-1].next_offset,
        )
