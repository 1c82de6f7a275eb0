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

from services.ingest.bloom import Bloom, Probe
from services.ingest.ids import Hashes, IdHash, Mask

Rows = npt.NDArray[np.int64]

_PORTION: Final = 1 << 13
"""So many ids fit with all that is computed from them into a processor's cache."""

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
        self._filters: weakref.WeakSet[DuplicateFilter] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._hash_ids = hash_ids or IdHash()

    def new_filter(self, horizon_ms: int, *, ids: int = 0, of: int = 0) -> DuplicateFilter:
        """A filter that is about to remember `ids` ids; all filters that are still to come will remember `of`, these
        included."""
        with self._lock:
            left = self._limit - self._taken()
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
        found = [np.empty(0, np.int64)]
        start = 0
        for portion in _portions(ids):
            hashes = self._hash_ids(portion)
            probe = Probe(hashes)
            known = self._current.contains(probe)
            perhaps = repeats(hashes)
            perhaps |= known
            if self._previous is not None:
                perhaps |= self._previous.contains(probe)
            self._add(probe.where(~known) if known.any() else probe, len(hashes) - int(np.count_nonzero(known)))
            found.append(np.flatnonzero(perhaps) + start)
            start += len(hashes)
        self._current.lived(at_ms, at_ms)
        return np.concatenate(found)

    def remember(self, ids: pa.ChunkedArray, first_ms: int, last_ms: int) -> None:
        """Takes up ids that arrived from `first_ms` to `last_ms`, whoever wrote them."""
        for portion in _portions(ids):
            self._add(Probe(self._hash_ids(portion)), len(portion))
        self._current.lived(first_ms, last_ms)

    def _add(self, probe: Probe, count: int) -> None:
        if self._current.is_full(count) and self._memory.doubles(self):
            self._current.grow(self.allotment)
        self._current.add(probe, count)

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

    def contains(self, probe: Probe) -> Mask:
        found = self._tables[0].contains(probe)
        for table in self._tables[1:]:
            found |= table.contains(probe)
        return found

    def add(self, probe: Probe, count: int) -> None:
        self._tables[-1].add(probe)
        self._count += count


def repeats(hashes: Hashes) -> Mask:
    """True where the same hash stands in an earlier row; there may be 2^15 rows."""
    rows = np.arange(len(hashes), dtype=np.int16)
    slots = (hashes & _SLOT).view(np.int64)
    # A slot keeps the first row that falls into it, being written last.
    first = np.empty(_SLOTS, np.int16)
    first[slots[::-1]] = rows[::-1]
    here = first.take(slots)
    again = np.zeros(len(hashes), np.bool_)
    later = np.flatnonzero(here != rows)
    same = hashes[later] == hashes[here[later]]
    again[later[same]] = True
    # Others than the first of a slot may be repeats of one another.
    rest = later[~same]
    if len(rest) > 1:
        _, distinct = np.unique(hashes[rest], return_index=True)
        again[np.delete(rest, distinct)] = True
    return again


_SLOTS: Final = 1 << 17
_SLOT: Final = np.uint64(_SLOTS - 1)


def _portions(ids: pa.ChunkedArray) -> Iterator[pa.StringArray]:
    for chunk in ids.chunks:
        for start in range(0, len(chunk), _PORTION):
            yield chunk.slice(start, _PORTION)
