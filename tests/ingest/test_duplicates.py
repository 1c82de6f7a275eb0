"""The duplicate filter against the obvious model of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.duplicates import DuplicateFilter

HORIZON = 100

ids = st.lists(st.integers(0, 60).map(str), max_size=40)
steps = st.lists(st.tuples(st.integers(0, 70), ids), max_size=25)


class Model:
    """An id counts as seen when it arrived in this horizon or the one before."""

    def __init__(self) -> None:
        self.arrived: dict[str, int] = {}

    def admit(self, block: list[str], at: int) -> list[bool]:
        fresh = []
        for each in block:
            before = self.arrived.get(each)
            new = before is None or before // HORIZON < at // HORIZON - 1
            if new:
                self.arrived[each] = at
            fresh.append(new)
        return fresh


@given(steps)
def test_decides_as_the_model_does(steps: list[tuple[int, list[str]]]) -> None:
    seen, model, now = DuplicateFilter(HORIZON), Model(), 1_000_000
    for wait, block in steps:
        now += wait
        assert seen.admit(block, now).tolist() == model.admit(block, now)


@given(steps, ids, st.integers(0, 70))
def test_rebuilt_from_arrivals_it_decides_the_same(
    steps: list[tuple[int, list[str]]], last: list[str], wait: int
) -> None:
    """What a block's replay relies on: a decision depends on arrival times, not on what the memory went through."""
    seen, now = DuplicateFilter(HORIZON), 1_000_000
    rows: list[tuple[int, list[str]]] = []
    for pause, block in steps:
        now += pause + 1
        fresh = seen.admit(block, now)
        rows.append((now, [each for each, new in zip(block, fresh, strict=True) if new]))
    now += wait + 1
    rebuilt = DuplicateFilter(HORIZON)
    for arrived, block in rows:
        if arrived >= rebuilt.first_remembered(now):
            rebuilt.remember(block, arrived)
    assert rebuilt.admit(last, now).tolist() == seen.admit(last, now).tolist()


@settings(max_examples=15)
@given(st.integers(1, 40_000), st.integers(1, 9_000))
def test_grows_without_forgetting(count: int, portion: int) -> None:
    seen = DuplicateFilter(HORIZON)
    names = [f"event-{number}" for number in range(count)]
    for start in range(0, count, portion):
        assert seen.admit(names[start : start + portion], 50).all()
    assert len(seen) == count
    assert not seen.admit(names, 60).any()


def test_of_repeats_within_one_block_the_first_is_admitted() -> None:
    assert DuplicateFilter(HORIZON).admit(["a", "b", "a", "a", "c", "b"], 0).tolist() == [
        True, True, False, False, True, False,
    ]  # fmt: skip


def test_an_id_is_remembered_for_a_horizon_and_not_for_three() -> None:
    seen = DuplicateFilter(HORIZON)
    assert seen.admit(["a"], 1_099).all()
    assert not seen.admit(["a"], 1_199).any()
    assert seen.admit(["a"], 1_399).all()
