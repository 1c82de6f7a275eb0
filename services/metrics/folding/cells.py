"""Which stretch of arrivals to fold next, and which of those that were folded to fold again. All times in epoch ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GRID_MS = 15_000
"""Folds begin and end at multiples of this."""

MOST_MS = 2 * 3_600_000
"""A fold is no longer than this, except over a time in which nothing arrived."""

MOST_ROWS = 1_000_000
"""A fold ends when it has found about so many events, which bounds its memory."""

MARGIN_MS = 20_000
"""How much sooner than the watermark folding stops: an event takes the moment at which its block was opened as that of
its arrival, and a block stays open for some 10 s at most."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Arrivals in `[start_ms, end_ms)`; `rows` is how many events were found there."""

    start_ms: int
    end_ms: int
    rows: int


def floor_grid(moment_ms: int) -> int:
    """The last moment of the grid that is not after this one."""
    return moment_ms - moment_ms % GRID_MS


def fold_target(watermark_ms: int) -> int:
    """Up to where everything that arrived can be folded, given the watermark of its kind."""
    return floor_grid(watermark_ms - MARGIN_MS)


def next_cell(done_ms: int, target_ms: int, counts: Mapping[int, int]) -> Cell | None:
    """The next fold from `done_ms` on; None when less than a step of the grid is left.

    `counts` is how many events arrived in each step of the grid, by its number from `done_ms`, up to `MOST_MS`.
    """
    steps = (min(target_ms, done_ms + MOST_MS) - done_ms) // GRID_MS
    if steps <= 0:
        return None
    rows = 0
    for step in range(steps):
        more = counts.get(step, 0)
        if step and rows + more > MOST_ROWS:
            return Cell(done_ms, done_ms + step * GRID_MS, rows)
        rows += more
    return Cell(done_ms, done_ms + steps * GRID_MS, rows)


def short_cells(folded: Iterable[Cell], arrived: Mapping[int, int]) -> list[Cell]:
    """Those that hold fewer events than have arrived there, with the number that has.

    That happens when a clock was set back and events took a moment of arrival that had been folded already.
    `arrived` is the number of events by step of the grid, named by its start.
    """
    short = []
    for cell in folded:
        rows = sum(arrived.get(start, 0) for start in range(floor_grid(cell.start_ms), cell.end_ms, GRID_MS))
        if rows > cell.rows:
            short.append(Cell(cell.start_ms, cell.end_ms, rows))
    return short
