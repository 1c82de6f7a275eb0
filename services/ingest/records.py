"""Runs of Kafka records, as light as they can be: what ingest moves from the consumer to its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

CHUNK_RECORDS = 2048
"""A run is closed once it holds this many records, and holds less than twice as many.

Few enough for the processor's cache, and for the event loop not to be held up by one; many enough for what a run costs
by itself, some tenth of a millisecond, to be little.
"""

CHUNK_BYTES = 2 << 20
"""A run is closed once it holds this many bytes of values."""


class Traced(NamedTuple):
    """A record whose producer samples its trace."""

    offset: int
    traceparent: str


class Values(Sequence[bytes | None]):
    """Values or keys of records where they lie, as a sequence: an object is made only of what somebody asks for.

    Value `i` is `data[begins[i]:ends[i]]`, and None where `ends[i]` is negative.
    """

    __slots__ = ("begins", "data", "ends")

    def __init__(self, data: npt.NDArray[np.uint8], begins: Places, ends: Places) -> None:
        self.data = data
        self.begins = begins
        self.ends = ends

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> Values:
        """The same values, gathered."""
        if isinstance(values, Values):
            return values
        data = np.frombuffer(b"".join([value or b"" for value in values]), np.uint8)
        sizes = np.fromiter((len(value or b"") for value in values), np.int64, len(values))
        begins = np.cumsum(sizes) - sizes
        missing = np.fromiter((value is None for value in values), np.bool_, len(values))
        return cls(data, begins, np.where(missing, -1, begins + sizes))

    @classmethod
    def joined(cls, parts: Sequence[Values]) -> Values:
        """The values of several, one after another."""
        shifts = np.cumsum([0, *(len(part.data) for part in parts)])
        return cls(
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.begins + shift for part, shift in zip(parts, shifts, strict=False)]),
            np.concatenate(
                [np.where(part.ends < 0, -1, part.ends + shift) for part, shift in zip(parts, shifts, strict=False)]
            ),
        )

    @property
    def sizes(self) -> Places:
        """The length of each, 0 for None."""
        sizes: Places = np.maximum(self.ends - self.begins, 0)
        return sizes

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, at: int) -> bytes | None: ...

    @overload
    def __getitem__(self, at: slice) -> Values: ...

    def __getitem__(self, at: int | slice) -> bytes | Values | None:
        if isinstance(at, slice):
            return Values(self.data, self.begins[at], self.ends[at])
        end = int(self.ends[at])
        return None if end < 0 else self.data[self.begins[at] : end].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        data = self.data.data
        for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True):
            yield None if end < 0 else bytes(data[begin:end])


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of records of one topic-partition, in offset order.

    `offsets` may have gaps (compaction, transaction markers); `next_offset` is where the log goes on after the run,
    gaps included. `timestamp` is the Kafka time of its first record in epoch milliseconds.
    `traces` names records whose producers trace them, while tracing is on.
    """

    values: Values
    keys: Values
    offsets: Places
    timestamp: int
    size: int
    next_offset: int
    traces: tuple[Traced, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def split(self, count: int) -> tuple[Chunk, Chunk]:
        """The first `count` records, and the rest; `0 < count < len(self)`."""
        head = int(self.values[:count].sizes.sum())
        boundary = int(self.offsets[count])
        return (
            Chunk(
                self.values[:count],
                self.keys[:count],
                self.offsets[:count],
                self.timestamp,
                head,
                boundary,
                tuple(each for each in self.traces if each.offset < boundary),
            ),
            # The time of the rest's own first record is not kept: the earlier one only makes claims more modest.
            Chunk(
                self.values[count:],
                self.keys[count:],
                self.offsets[count:],
                self.timestamp,
                self.size - head,
                self.next_offset,
                tuple(each for each in self.traces if each.offset >= boundary),
            ),
        )

    @classmethod
    def of(
        cls,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None],
        offsets: Sequence[int],
        timestamp: int,
        end: int,
    ) -> Chunk:
        """A chunk of records that are objects already; `end` is its `next_offset`."""
        size = sum(len(value or b"") for value in values)
        return cls(Values.of(values), Values.of(keys), np.array(offsets, np.int64), timestamp, size, end)

    @classmethod
    def joined(cls, chunks: Sequence[Chunk]) -> Chunk:
        """One chunk of several that follow each other."""
        if len(chunks) == 1:
            return chunks[0]
        return cls(
            Values.joined([chunk.values for chunk in chunks]),
            Values.joined([chunk.keys for chunk in chunks]),
            np.concatenate([chunk.offsets for chunk in chunks]),
            chunks[0].timestamp,
            sum(chunk.size for chunk in chunks),
            chunks[-1].next_offset,
            tuple(each for chunk in chunks for each in chunk.traces),
        )
