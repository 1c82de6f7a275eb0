"""Which events were seen before: the ids of one topic-partition, as 64-bit hashes in flat arrays.

An id is remembered from the horizon in which it arrived to the end of the next one: at least one horizon, at most two.
What is remembered is a function of arrival times alone, so a block that is built again after a crash finds the same ids
known as it did the first time.

The hash is Python's own for strings (SipHash, keyed anew by each process), so nobody outside can make ids collide. Two
different ids of one partition are taken for one with a probability of n * N / 2^64: once in centuries at ten million
events a day and partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_EMPTY: Final = 0
_FIRST_SLOTS: Final = 1 << 12
_MAX_LOAD: Final = 0.6


class DuplicateFilter:
    """The ids of one topic-partition. Memory: 13 to 27 bytes an id. Not safe for use by two threads at once."""

    def __init__(self, horizon_ms: int) -> None:
        self.horizon_ms = horizon_ms
        self._generation = 0
        self._current = _HashSet()
        self._previous = _HashSet()

    def __len__(self) -> int:
        return len(self._current) + len(self._previous)

    def admit(self, ids: Sequence[str], at_ms: int) -> Mask:
        """True where an id is seen for the first time, in the order given; those are remembered as arrived at `at_ms`.

        `at_ms` must not be earlier than in any call before.
        """
        self._advance(at_ms // self.horizon_ms)
        hashes = _hashes(ids)
        fresh = _first_occurrences(hashes)
        if len(self._previous):
            fresh &= ~self._previous.contains(hashes)
        if fresh.all():
            return self._current.add(hashes)
        fresh[fresh] = self._current.add(hashes[fresh])
        return fresh

    def remember(self, ids: Sequence[str], arrived_ms: int) -> None:
        """Takes up ids that were admitted before, by whoever; those too old to matter are passed over.

        `arrived_ms` may be any moment of the horizon in which they arrived (see `first_remembered`).
        """
        generation = arrived_ms // self.horizon_ms
        if generation > self._generation:
            self._advance(generation)
        hashes = np.unique(_hashes(ids))
        if generation == self._generation:
            self._current.add(hashes)
        elif generation == self._generation - 1:
            self._previous.add(hashes)

    def first_remembered(self, at_ms: int) -> int:
        """Start of the time whose arrivals count for a decision at `at_ms`, in epoch milliseconds."""
        return (at_ms // self.horizon_ms - 1) * self.horizon_ms

    def _advance(self, generation: int) -> None:
        if generation <= self._generation:
            return
        self._previous = self._current if generation == self._generation + 1 else _HashSet()
        self._current = _HashSet()
        self._generation = generation


class _HashSet:
    """Open addressing, done for whole arrays at a time.

    Where a slot is taken the next is as far away as the hash itself says, so that no clusters form: fewer rounds, and a
    round costs the same however few hashes are left in it.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(_FIRST_SLOTS, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def contains(self, hashes: Hashes) -> Mask:
        slots, last = self._slots, len(self._slots) - 1
        place, stride = hashes & last, _strides(hashes)
        there = slots[place]
        found: Mask = there == hashes
        open_ = np.flatnonzero(~found & (there != _EMPTY))
        while len(open_):
            wanted = hashes[open_]
            place[open_] = at = (place[open_] + stride[open_]) & last
            there = slots[at]
            hit = there == wanted
            found[open_[hit]] = True
            open_ = open_[~hit & (there != _EMPTY)]
        return found

    def add(self, hashes: Hashes) -> Mask:
        """Adds hashes that are distinct among themselves; True where one was not there before."""
        self._make_room(len(hashes))
        last = len(self._slots) - 1
        place, stride = hashes & last, _strides(hashes)
        added, known = self._settle(place, hashes)
        open_ = np.flatnonzero(~added & ~known)
        while len(open_):
            place[open_] = at = (place[open_] + stride[open_]) & last
            taken, known = self._settle(at, hashes[open_])
            added[open_[taken]] = True
            open_ = open_[~taken & ~known]
        self._count += int(np.count_nonzero(added))
        return added

    def _settle(self, place: Hashes, hashes: Hashes) -> tuple[Mask, Mask]:
        """Puts each hash into its slot where that is vacant: which found a slot, and which were there already."""
        slots = self._slots
        there = slots[place]
        vacant = there == _EMPTY
        # Of several that want one vacant slot the last to be written has it; the others go on.
        slots[place[vacant]] = hashes[vacant]
        return vacant & (slots[place] == hashes), there == hashes

    def _make_room(self, more: int) -> None:
        size = len(self._slots)
        while self._count + more > size * _MAX_LOAD:
            size *= 2
        if size == len(self._slots):
            return
        kept = self._slots[self._slots != _EMPTY]
        self._slots = np.zeros(size, np.int64)
        self._count = 0
        for start in range(0, len(kept), 1 << 16):
            self.add(kept[start : start + (1 << 16)])


def _hashes(ids: Sequence[str]) -> Hashes:
    hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
    hashes[hashes == _EMPTY] = 1
    return hashes


def _strides(hashes: Hashes) -> Hashes:
    # Odd, so that a stride comes by every slot of a table whose size is a power of two.
    return (hashes >> 40) | 1


def _first_occurrences(hashes: Hashes) -> Mask:
    first = np.ones(len(hashes), np.bool_)
    ordered = np.sort(hashes)
    if (ordered[1:] == ordered[:-1]).any():
        first[:] = False
        first[np.unique(hashes, return_index=True)[1]] = True
    return first
