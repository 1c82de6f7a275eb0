"""The last minutes of a campaign in memory: sums of measures by minute and value of one dimension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

Sums = npt.NDArray[np.int64]

_ROOM = 16


class Panel:
    """One dimension and one kind of event. Minutes are counted since the epoch; money is in hundredths.

    It holds the newest `minutes` of them; what is older is forgotten.
    """

    def __init__(self, minutes: int, measures: Sequence[str]) -> None:
        self.measures = tuple(measures)
        self._minutes = minutes
        self._head: int | None = None
        self._known_from = 0
        self._places: dict[str, int] = {}
        self._sums: Sums = np.zeros((minutes, _ROOM, len(self.measures)), dtype=np.int64)

    @property
    def values(self) -> Sequence[str]:
        """Every value seen so far, in the order of the columns of `sums` and `steps`."""
        return list(self._places)

    def replace(self, since: int, until: int, rows: Iterable[tuple[str, int, Sequence[int]]]) -> None:
        """What is known of the minutes [since, until) from now on: (value, minute, sums) of each that has events.

        What was known before goes on to count where both meet without a gap and time has not jumped.
        """
        newest = until - 1
        head = self._head
        if head is None or since > head + 1 or abs(newest - head) >= self._minutes - 1 or newest < head - 1:
            self._sums[:] = 0
            self._known_from, self._head = since, newest
        else:
            for minute in range(head + 1, until):
                self._sums[minute % self._minutes] = 0
            self._known_from = min(self._known_from, since)
            self._head = max(head, newest)
        oldest = self._head - self._minutes + 1
        for minute in range(max(since, oldest), until):
            self._sums[minute % self._minutes] = 0
        for value, minute, sums in rows:
            if oldest <= minute <= self._head:
                # The array grows with its values: the place first.
                place = self._place(value)
                self._sums[minute % self._minutes, place] = sums

    def covers(self, since: int) -> bool:
        """Whether every minute from `since` on has been read and is still held."""
        if self._head is None:
            return False
        return since >= max(self._known_from, self._head - self._minutes + 1)

    def sums(self, since: int, until: int) -> Sums:
        """Over [since, until): an array of values by measures."""
        return cast(Sums, self.steps(since, until).sum(axis=0))

    def steps(self, since: int, until: int) -> Sums:
        """By minute of [since, until): an array of minutes by values by measures; zero where nothing is known."""
        width = len(self._places)
        result = np.zeros((max(0, until - since), width, len(self.measures)), dtype=np.int64)
        if self._head is None:
            return result
        first = max(since, self._head - self._minutes + 1)
        last = min(until, self._head + 1)
        if last > first:
            slots = np.arange(first, last) % self._minutes
            result[first - since : last - since] = self._sums[slots, :width]
        return result

    def _place(self, value: str) -> int:
        place = self._places.get(value)
        if place is None:
            place = self._places[value] = len(self._places)
            if place >= self._sums.shape[1]:
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)], axis=1)
        return place
