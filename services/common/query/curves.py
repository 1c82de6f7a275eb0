"""Remembers distinct counts by span of time: only those whose events have become more need to be counted again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

MOST_CELLS = 100_000
"""In all curves together; some 30 MB."""

MOST_CURVES = 500

MOST_RANGES = 8

Cell = tuple[int, str]
"""A span's start in epoch ms and the value of the dimension."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct counts of a cell that ended at `end_ms` and held `events` events."""

    end_ms: int
    events: int
    counts: tuple[int, ...]


@dataclass(slots=True)
class Curve:
    """What is known of one question's cells."""

    cells: dict[Cell, Counted] = field(default_factory=dict)

    def counted(self, cell: Cell, end_ms: int, events: int) -> Counted | None:
        """The counts of a cell that holds so many events; None when they have to be counted again.

        Events are only ever added, so as many as before are the same as before.
        """
        found = self.cells.get(cell)
        return found if found is not None and (found.end_ms, found.events) == (end_ms, events) else None


class CurveMemory:
    """Curves by question. The ones that were added to longest ago are forgotten first, and a curve's first cells."""

    def __init__(self, most_cells: int = MOST_CELLS) -> None:
        self._most = most_cells
        self._curves: OrderedDict[Hashable, Curve] = OrderedDict()
        self._cells = 0

    @property
    def cells(self) -> int:
        """How many cells are remembered."""
        return self._cells

    def curve(self, key: Hashable) -> Curve:
        """The curve of a question, empty when it is new."""
        return self._curves.get(key) or Curve()

    def remember(self, key: Hashable, found: Mapping[Cell, Counted]) -> None:
        """Adds cells to a question's curve."""
        if not found:
            return
        curve = self._curves.pop(key, None) or Curve()
        self._cells -= len(curve.cells)
        curve.cells.update(found)
        for cell in sorted(curve.cells)[: max(0, len(curve.cells) - self._most // 2)]:
            del curve.cells[cell]
        self._curves[key] = curve
        self._cells += len(curve.cells)
        while self._cells > self._most or len(self._curves) > MOST_CURVES:
            _, oldest = self._curves.popitem(last=False)
            self._cells -= len(oldest.cells)


def merge_ranges(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same spans of time `[start, end)`, neighbours made one; few, so some hold what lies between two as well."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    while len(found) > MOST_RANGES:
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(found)]
        nearest = gaps.index(min(gaps))
        found[nearest : nearest + 2] = [(found[nearest][0], found[nearest + 1][1])]
    return found
