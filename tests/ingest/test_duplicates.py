"""The duplicate filter and what is made of it, against the obvious model: every id with the times of its arrivals."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.bloom import Bloom
from services.ingest.duplicates import DuplicateFilter, FilterMemory
from services.ingest.ids import Hashes, IdHash
from services.ingest.settling import Doubts
from tests.ingest.world import HASH, all_the_same

HORIZON = 100
ROOMY, TINY = 1 << 20, 1 << 7

Hash = Callable[[pa.StringArray], Hashes]


def by_length(ids: pa.StringArray) -> Hashes:
    """Most ids collide with some others."""
    return np.array([len(each) for each in ids.to_pylist()], np.uint64)


def column(ids: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(ids, pa.string())])


class Model:
    """The tables: every accepted id with the moments of its arrivals."""

    def __init__(self) -> None:
        self.arrived: dict[str, list[int]] = {}

    def known(self, event_id: str, at: int) -> bool:
        return any(at - HORIZON <= moment < at for moment in self.arrived.get(event_id, []))

    def admit(self, block: list[str], at: int) -> list[bool]:
        kept = [not self.known(each, at) and each not in block[:row] for row, each in enumerate(block)]
        for each, new in zip(block, kept, strict=True):
            if new:
                self.arrived.setdefault(each, []).append(at)
        return kept


ids = st.lists(st.integers(0, 60).map("{:x}".format), max_size=40)
# Waits often end just before, at or after the horizon; now and then the process is started anew.
waits = st.one_of(st.integers(1, 70), st.integers(HORIZON - 1, HORIZON + 1), st.integers(150, 450))
steps = st.lists(st.tuples(waits, ids, st.booleans()), max_size=25)


@settings(max_examples=300)
@given(steps, st.sampled_from([ROOMY, TINY]), st.sampled_from([HASH, by_length, all_the_same]))
def test_with_the_stores_answers_it_decides_as_the_model_does(
    steps: list[tuple[int, list[str], bool]], memory: int, hash_ids: Hash
) -> None:
    """Whatever the order, the memory, the hashes and the restarts: no repeat passes, and no other id is dropped."""
    seen, model, now = FilterMemory(memory, 1, hash_ids).new_filter(HORIZON), Model(), 1_000_000
    for wait, block, restart in steps:
        now += wait
        if restart:
            seen = FilterMemory(memory, 1, hash_ids).new_filter(HORIZON)
            for name, moments in model.arrived.items():
                for moment in moments:
                    if moment >= now - HORIZON:
                        seen.remember(column([name]), moment, moment)
        doubts = Doubts(pa.array(block, pa.string()), seen.mark(column(block), now))
        asked = [block[row] for row in doubts.questions]
        assert len(set(asked)) == len(asked)
        known = {each for each in asked if model.known(each, now)}
        assert doubts.keep(known).tolist() == model.admit(block, now)


@given(steps)
def test_a_roomy_filter_asks_about_repeats_only(steps: list[tuple[int, list[str], bool]]) -> None:
    """Or else every block would be asked about: an id counts as perhaps seen for two horizons at most."""
    seen, arrived, now = FilterMemory(ROOMY, 1, HASH).new_filter(HORIZON), dict[str, int](), 1_000_000
    for wait, block, _ in steps:
        now += wait
        rows = set(seen.mark(column(block), now).tolist())
        for row, each in enumerate(block):
            if row in rows:
                assert each in block[:row] or arrived.get(each, 0) >= now - 2 * HORIZON - max(wait, HORIZON)
        arrived.update(dict.fromkeys(block, now))


def test_what_is_past_is_forgotten_and_its_memory_given_up() -> None:
    seen = FilterMemory(ROOMY, 1, HASH).new_filter(HORIZON)
    assert seen.mark(column(["a"]), 1_000).tolist() == []
    assert seen.mark(column(["a"]), 1_100).tolist() == [0]
    assert seen.mark(column(["b"]), 1_250).tolist() == []
    assert seen.mark(column(["a"]), 1_351).tolist() == []


def test_of_repeats_within_one_block_the_first_stays_and_the_store_is_not_asked() -> None:
    seen = FilterMemory(ROOMY, 1, HASH).new_filter(HORIZON)
    block = ["a", "b", "a", "a", "c", "b"]
    doubts = Doubts(pa.array(block), seen.mark(column(block), 0))
    assert doubts.questions.tolist() == []
    assert doubts.keep(set()).tolist() == [True, True, False, False, True, False]


def test_ids_whose_hashes_are_equal_are_all_asked_about_and_none_is_dropped() -> None:
    seen = FilterMemory(ROOMY, 1, all_the_same).new_filter(HORIZON)
    block = ["a", "b", "c"]
    doubts = Doubts(pa.array(block), seen.mark(column(block), 0))
    assert doubts.questions.tolist() == [1, 2]
    assert doubts.keep(set()).all()


texts = (
    st.text(max_size=64)
    .filter(lambda text: len(text.encode(errors="replace")) <= 256)
    .map(lambda text: text.encode(errors="replace").decode())
)


@given(st.lists(texts, min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 30))
def test_an_id_has_one_hash_whatever_stands_beside_it(names: list[str], start: int, length: int) -> None:
    """Arrays of one length and of many, sliced or not, are hashed in different ways."""
    alone = {name: int(HASH(pa.array([name]))[0]) for name in names}
    array = pa.array(names).slice(start, length)
    assert HASH(array).tolist() == [alone[name] for name in array.to_pylist()]
    assert len(set(alone.values())) == len(set(names))


def test_two_processes_hash_differently() -> None:
    names = pa.array(["one", "two"])
    assert IdHash()(names).tolist() != IdHash()(names).tolist()


@pytest.mark.parametrize(("bits", "share"), [(32, 1e-5), (16, 2e-3), (8, 0.1)])
def test_a_table_finds_all_that_was_added_and_little_else(bits: int, share: float) -> None:
    rng = np.random.default_rng(5)
    table = Bloom(1 << 16)
    count = (1 << 19) // bits
    added = rng.integers(0, 1 << 63, count, np.uint64) * np.uint64(2)
    table.add(added, np.zeros(count, np.bool_))
    found = np.zeros(count, np.bool_)
    table.look(added, found)
    assert found.all()
    others = rng.integers(0, 1 << 63, 1_000_000, np.uint64) * np.uint64(2) + np.uint64(1)
    found = np.zeros(len(others), np.bool_)
    table.look(others, found)
    assert np.count_nonzero(found) <= share * len(others)


@settings(max_examples=15)
@given(st.integers(1, 40_000), st.integers(1, 9_000))
def test_it_grows_without_forgetting(count: int, portion: int) -> None:
    """An id that is in any of the tables, or in the generation before, is not taken for new."""
    seen = FilterMemory(1 << 20, 10, HASH).new_filter(HORIZON)
    names = column([f"event-{number}" for number in range(count)])
    for start in range(0, count, portion):
        seen.mark(names.slice(start, portion), 50)
    assert len(seen.mark(names, 51)) == count
    seen.mark(column(["turns"]), 50 + HORIZON)
    assert len(seen.mark(names, 51 + HORIZON)) == count


def test_all_filters_together_stay_within_their_memory_and_the_busy_one_gets_most_of_it() -> None:
    memory = FilterMemory(1 << 20, 10, HASH)
    filters = [memory.new_filter(HORIZON) for _ in range(10)]
    rng = random.Random(2)
    for day in range(4):
        for number, each in enumerate(filters):
            for _ in range(12 if number == 3 else 1):
                fresh = [f"{rng.getrandbits(64):x}" for _ in range(2_000)]
                each.mark(column(fresh), day * HORIZON)
                assert each.size <= 2 * each.allotment
        assert sum(each.size for each in filters) <= memory.taken <= 1 << 20
    assert filters[3].allotment > (1 << 19) // 8


def test_what_is_loaded_gets_memory_by_its_share() -> None:
    memory = FilterMemory(1 << 20, 2, HASH)
    large = memory.new_filter(HORIZON, ids=900_000, of=1_000_000)
    small = memory.new_filter(HORIZON, ids=100_000, of=100_000)
    assert large.allotment > 5 * small.allotment
    assert memory.taken <= 1 << 20


def test_what_is_loaded_leaves_memory_for_partitions_without_rows() -> None:
    memory = FilterMemory(1 << 20, 10, HASH)
    filters = [
        memory.new_filter(HORIZON, ids=10**7 if number == 0 else 0, of=10**7 if number == 0 else 0)
        for number in range(10)
    ]
    assert memory.taken <= 1 << 20
    assert filters[0].allotment > 10 * filters[1].allotment


def test_a_filter_that_is_gone_leaves_its_memory_to_others() -> None:
    memory = FilterMemory(1 << 20, 2, HASH)
    one: DuplicateFilter | None = memory.new_filter(HORIZON, ids=10**6, of=10**6)
    assert memory.taken > 900_000
    del one
    assert memory.taken == 0
