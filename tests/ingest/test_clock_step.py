"""A clock that is set back must neither stop ingest until it has caught up nor let two blocks claim one arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.block import BUSY_AGE_MS, BlockLimits, BlockSize

LIMITS = BlockLimits(records=100, bytes=1000, age_ms=400)


@given(step=st.integers(1, 10**10), waited=st.integers(0, 10**6))
def test_a_block_is_due_by_the_clock_that_opened_it(step: int, waited: int) -> None:
    # The block before was opened by a clock that ran ahead, so this one is recorded as opened later still.
    began = 1_800_000_000_000
    size = BlockSize(opened_at=began + step, began=began)
    assert size.is_due(LIMITS, began + waited, LIMITS.age_ms) == (waited >= LIMITS.age_ms)
    assert size.is_closed(LIMITS, began + waited) == (waited >= BUSY_AGE_MS)


@given(back=st.integers(1, 10**10))
def test_a_clock_that_goes_back_makes_an_open_block_due(back: int) -> None:
    began = 1_800_000_000_000
    assert BlockSize(opened_at=began, began=began).is_due(LIMITS, began - back, LIMITS.age_ms)
