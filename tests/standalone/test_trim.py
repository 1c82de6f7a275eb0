"""What may be deleted from the embedded broker: never what was not committed, never the last records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.standalone.trim import PartitionState, trim_before

OFFSETS = st.integers(0, 1_000_000)


@given(start=OFFSETS, behind=st.integers(-1, 1_000_000), keep=OFFSETS, step=st.integers(1, 50_000))
def test_what_is_not_committed_and_the_last_records_stay(start: int, behind: int, keep: int, step: int) -> None:
    state = PartitionState(start, committed=start + behind)
    before = trim_before(state, keep=keep, step=step)
    if before is not None:
        assert before <= state.committed - keep
        assert before >= state.start + step


@given(committed=OFFSETS, keep=OFFSETS)
def test_enough_behind_the_group_does_go(committed: int, keep: int) -> None:
    before = trim_before(PartitionState(0, committed), keep=keep, step=1)
    assert before == (committed - keep if committed > keep else None)


def test_a_group_that_never_committed_deletes_nothing() -> None:
    assert trim_before(PartitionState(start=0, committed=-1), keep=0, step=1) is None
