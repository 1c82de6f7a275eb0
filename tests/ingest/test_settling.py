"""Duplicates are settled while a block is written: what is told of it, and what happens while nobody answers."""

from __future__ import annotations

from collections import deque

import pytest

from services.common import prometheus
from services.ingest import writer
from services.ingest.block import BlockLimits
from tests.ingest.world import Process, World, all_the_same

LONG = 10**9
LIMITS = BlockLimits(1000, 1 << 20, 10)


def questions(answer: str) -> float:
    return float(prometheus.INGEST_DUPLICATE_QUESTIONS.labels("traffic", answer)._value.get())


def test_a_filter_that_knows_too_little_is_told_of_once_and_drops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World(log=[f"e{number}" for number in range(300)], hash_ids=all_the_same)
    process = Process(world, LONG, LIMITS)
    before = questions("new")
    for _ in range(2):
        process.run_to_the_end()
        world.log += [f"f{number}" for number in range(300)]
    assert len({event_id for event_id, *_ in world.rows}) == len(world.rows) == 600
    assert questions("new") - before == 299 + 300
    told = [record for record in caplog.records if "WARROOM_DUPLICATE_FILTER_MB" in record.message]
    assert len(told) == 1


def test_real_repeats_are_no_reason_to_ask_for_memory(caplog: pytest.LogCaptureFixture) -> None:
    world = World(log=[f"e{number}" for number in range(300)])
    process = Process(world, LONG, LIMITS)
    before = questions("seen")
    for _ in range(2):
        process.run_to_the_end()
        world.log += [f"e{number}" for number in range(300)]
    assert len(world.rows) == 300
    assert questions("seen") - before == 300
    assert not caplog.records


def test_the_block_waits_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer is asked again: to guess either way would lose an event or count it twice."""
    monkeypatch.setattr(writer, "_FIRST_PAUSE", 0.0)
    world = World(log=["e1", "e2", "e3"])
    process = Process(world, LONG, LIMITS)
    process.run_to_the_end()
    world.log += ["e2", "e4"]
    process.fetch(10)
    # Answers of the store: to the question, to the rows, to the ledger.
    world.faults = deque(["refused", "lost", "refused", "", "", ""])
    process.write()
    assert [event_id for event_id, *_ in world.rows] == ["e1", "e2", "e3", "e4"]
    assert process.lane.trouble is None
