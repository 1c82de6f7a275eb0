"""Which ids of one topic-partition were perhaps seen before: a filter of bounded memory.

It never says "new" of an id that arrived within the horizon. It may say "perhaps" of one that did not; the store then
settles that (see `settling`). So a decision depends on what the tables hold, never on what happens to be in memory, and
the memory may be rebuilt from the tables in any way that leaves nothing out.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.ingest.bloom import Bloom
from services.ingest.ids import Hashes, IdHash, Mask

Rows = npt.NDArray[np.int64]

_PORTION: Final = 1 << 14
"""Ids that are hashed at a time, and after which a filter may grow."""

_ID_BYTES: Final = 4
"""What an id should have of memory; with less, more ids are taken for ones that were seen."""

_LEAST: Final = 64
_NEVER: Final = -(1 << 62)


class FilterMemory:
    """What all filters of a process may take together, in bytes. Safe for use by several threads.

    Every filter begins with an eighth of an equal share and doubles as its ids come in, while there is memory left:
    most partitions have few ids, and some have nearly all. Afterwards a filter grows no more; it says "perhaps" more
    often instead.
    """

    def __init__(self, limit: int, filters: int, hash_ids: Callable[[pa.StringArray], Hashes] | None = None) -> None:
        """`limit` in bytes; `filters` is how many there will be."""
        # A filter has two generations.
        self._limit = limit // 2
        self._first = max(_LEAST, self._limit // (8 * max(1, filters)))
        self._to_come = filters
        self._filters: weakref.WeakSet[DuplicateFilter] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._hash_ids = hash_ids or IdHash()

    def new_filter(self, horizon_ms: int, *, ids: int = 0, of: int = 0) -> DuplicateFilter:
        """A filter that is about to remember `ids` ids; all filters that are still to come will remember `of`, these
        included."""
        with self._lock:
            self._to_come = max(0, self._to_come - 1)
            left = max(0, self._limit - self._taken() - self._to_come * self._first)
            size = min(ids * _ID_BYTES, left * ids // of) if of else 0
            made = DuplicateFilter(horizon_ms, self, self._hash_ids, max(self._first, size))
            self._filters.add(made)
        return made

    @property
    def taken(self) -> int:
        """Bytes that the filters take, or will once they have two generations."""
        with self._lock:
            return 2 * self._taken()

    def doubles(self, one: DuplicateFilter) -> bool:
        """Whether a filter may double; if so it has."""
        with self._lock:
            if self._taken() + one.allotment > self._limit:
                return False
            one.allotment *= 2
            return True

    def _taken(self) -> int:
        return sum(each.allotment for each in self._filters)


class DuplicateFilter:
    """The ids of one topic-partition. Made by `FilterMemory`. Not safe for use by two threads at once."""

    def __init__(
        self, horizon_ms: int, memory: FilterMemory, hash_ids: Callable[[pa.StringArray], Hashes], allotment: int
    ) -> None:
        self.horizon_ms = horizon_ms
        self.allotment = allotment
        """Bytes that a generation may take."""
        self.is_small = False
        """It has been told that the memory does not suffice."""
        self._memory = memory
        self._hash_ids = hash_ids
        self._current = _Generation(allotment)
        self._previous: _Generation | None = None

    @property
    def size(self) -> int:
        """Bytes that its tables have."""
        return self._current.size + (self._previous.size if self._previous is not None else 0)

    def mark(self, ids: pa.ChunkedArray, at_ms: int) -> Rows:
        """The rows, ascending, whose id was perhaps seen since `at_ms - horizon_ms`, or stands in an earlier row.

        All ids are remembered as arrived at `at_ms`, which must not be earlier than in any call before.
        """
        self._turn(at_ms)
        marked = [np.empty(0, np.int64)]
        start = 0
        for portion in _portions(ids):
            hashes = self._hash_ids(portion)
            found = self._add(hashes)
            if self._previous is not None:
                self._previous.look(hashes, found)
            marked.append(np.flatnonzero(found) + start)
            start += len(hashes)
        self._current.lived(at_ms, at_ms)
        return np.concatenate(marked)

    def remember(self, ids: pa.ChunkedArray, first_ms: int, last_ms: int) -> None:
        """Takes up ids that arrived from `first_ms` to `last_ms`, whoever wrote them."""
        for portion in _portions(ids):
            self._add(self._hash_ids(portion))
        self._current.lived(first_ms, last_ms)

    def _add(self, hashes: Hashes) -> Mask:
        """Where the current generation held a hash before."""
        if self._current.is_full(len(hashes)) and self._memory.doubles(self):
            self._current.grow(self.allotment)
        return self._current.add(hashes)

    def _turn(self, at_ms: int) -> None:
        """Forgets a generation that is past, and begins one when the current has lasted for a horizon."""
        past = at_ms - self.horizon_ms
        if self._previous is not None and self._previous.last < past:
            self._previous = None
        if self._previous is None and self._current.first <= past:
            self._previous = self._current if self._current.last >= past else None
            self._current = _Generation(self.allotment)


class _Generation:
    """The ids of some stretch of time, in one table or, while the filter grew, in several."""

    def __init__(self, size: int) -> None:
        self.first = -_NEVER
        self.last = _NEVER
        self._tables = [Bloom(size)]
        self.size = size
        self._count = 0

    def lived(self, first: int, last: int) -> None:
        self.first = min(self.first, first)
        self.last = max(self.last, last)

    def is_full(self, more: int) -> bool:
        return (self._count + more) * _ID_BYTES > self.size

    def grow(self, size: int) -> None:
        self._tables.append(Bloom(size - self.size))
        self.size = size

    def look(self, hashes: Hashes, found: Mask) -> None:
        for table in self._tables:
            table.look(hashes, found)

    def add(self, hashes: Hashes) -> Mask:
        found = np.zeros(len(hashes), np.bool_)
        for table in self._tables[:-1]:
            table.look(hashes, found)
        self._count += self._tables[-1].add(hashes, found)
        return found


def _portions(ids: pa.ChunkedArray) -> Iterator[pa.StringArray]:
    for chunk in ids.chunks:
        for start in range(0, len(chunk), _PORTION):
            yield chunk.slice(start, _PORTION)
