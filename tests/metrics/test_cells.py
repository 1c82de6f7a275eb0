"""Which arrivals are folded next: all of them, in order, none too soon, and not too many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.folding import cells
from services.metrics.folding.cells import GRID_MS, Cell, fold_target, next_cell, short_cells

steps = st.integers(0, 2_000)
counts = st.dictionaries(st.integers(0, 500), st.sampled_from([1, 1000, 400_000, 3_000_000]), max_size=60)


@given(steps, steps, counts)
def test_a_fold_follows_the_one_before_and_is_bounded(done: int, ahead: int, arrived: dict[int, int]) -> None:
    start, target = done * GRID_MS, (done + ahead) * GRID_MS
    cell = next_cell(start, target, arrived)
    if not ahead:
        assert cell is None
        return
    assert cell is not None
    assert cell.start_ms == start < cell.end_ms <= min(target, start + cells.MOST_MS)
    assert (cell.end_ms - start) % GRID_MS == 0
    length = (cell.end_ms - start) // GRID_MS
    assert cell.rows == sum(arrived.get(step, 0) for step in range(length))
    assert cell.rows <= cells.MOST_ROWS or length == 1
    # It ends for a reason: it is as long as it may be, or the next step would be too much.
    if cell.end_ms < min(target, start + cells.MOST_MS):
        assert cell.rows + arrived.get(length, 0) > cells.MOST_ROWS


def test_a_fold_stops_well_before_the_watermark() -> None:
    watermark = 1_000 * GRID_MS + 7
    assert fold_target(watermark) <= watermark - cells.MARGIN_MS
    assert fold_target(watermark) % GRID_MS == 0


def test_only_cells_that_lack_events_are_folded_again() -> None:
    folded = [Cell(0, 2 * GRID_MS, 5), Cell(2 * GRID_MS, 3 * GRID_MS, 1), Cell(3 * GRID_MS, 9 * GRID_MS, 0)]
    arrived = {0: 3, GRID_MS: 2, 2 * GRID_MS: 4, 20 * GRID_MS: 9}
    assert short_cells(folded, arrived) == [Cell(2 * GRID_MS, 3 * GRID_MS, 4)]
    # Not yet in the ledger, or older than it: nothing to tell.
    assert short_cells(folded, {}) == []
