"""A few partitions at a time, and in the end every one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.turns import PATIENCE_MS, Turns


@given(st.integers(1, 5), st.integers(1, 20), st.sets(st.integers(0, 19)), st.data())
def test_nobody_waits_for_ever(at_once: int, partitions: int, silent: set[int], data: st.DataObject) -> None:
    """Whoever fills a block first, and whoever brings nothing at all."""
    turns: Turns[int] = Turns(at_once)
    everybody = set(range(partitions))
    served: set[int] = set()
    now = 0
    for _ in range(2 * partitions):
        active = everybody - turns.waiting(everybody, now)
        assert len(active) == min(at_once, partitions)
        served |= active
        if loud := sorted(active - silent):
            for each in loud:
                turns.brought(each, now)
            turns.ended(data.draw(st.sampled_from(loud)))
        now += PATIENCE_MS
    assert served == everybody


def test_a_partition_keeps_its_turn_until_its_block_is_full() -> None:
    turns: Turns[str] = Turns(1)
    assert turns.waiting(["a", "b"], 0) == {"b"}
    turns.brought("a", 900)
    assert turns.waiting(["a", "b"], 1_800) == {"b"}
    turns.ended("a")
    assert turns.waiting(["a", "b"], 1_900) == {"a"}
    assert turns.waiting(["a"], 1_950) == set()


def test_a_clock_that_jumps_costs_a_turn_at_most() -> None:
    turns: Turns[str] = Turns(1)
    for now in (10_000, 5_000, 90_000, 90_001):
        assert len(turns.waiting(["a", "b"], now)) == 1
