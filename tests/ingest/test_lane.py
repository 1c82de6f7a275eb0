"""From chunks to blocks: contiguous, bounded, nothing left out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.block import BlockLimits, Pace
from services.ingest.duplicates import FilterMemory
from services.ingest.lane import Block, Lane
from services.ingest.protocol import Replay, Resume
from services.ingest.records import Chunk
from services.ingest.runs import each
from tests.ingest.world import decode


def make_lane(decision: Replay | Resume, limits: BlockLimits) -> Lane:
    return Lane(
        topic="t",
        partition=3,
        kind="traffic",
        decision=decision,
        limits=limits,
        decode=each("traffic", decode),
        seen=FilterMemory(1 << 16, 1).new_filter(10**9),
    )


def chunk_of(offsets: list[int], next_offset: int | None = None) -> Chunk:
    values = [b"!" if offset % 7 == 0 else b"e%d" % offset for offset in offsets]
    end = offsets[-1] + 1 if next_offset is None else next_offset
    return Chunk.of(values, [None] * len(values), offsets, 5, end)


# Gaps before each record (compaction, markers of transactions), cut into chunks.
logs = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=1, max_size=12)
limits = st.builds(BlockLimits, records=st.integers(1, 30), bytes=st.integers(1, 100), age_ms=st.integers(1, 50))


@given(logs, limits, st.lists(st.booleans(), max_size=40), st.integers(0, 60))
def test_blocks_follow_each_other_and_hold_everything(
    log: list[list[int]], limits: BlockLimits, turns: list[bool], pause: int
) -> None:
    lane = make_lane(Resume(100, 0, "i"), limits)
    now, position = 1000, 100
    offered: list[int] = []
    blocks: list[Block] = []

    def write() -> None:
        while lane.stage():
            pass
        blocks.append(lane.seal(now))
        lane.done(now)

    for gaps in log:
        offsets = []
        for gap in gaps:
            offsets.append(position + gap)
            position += gap + 1
        now += pause
        lane.offer(chunk_of(offsets), now)
        offered += offsets
        if (turns.pop() if turns else True) and lane.is_due(now, limits.age_ms):
            write()
    while not lane.is_empty:
        write()
    assert blocks[0].id.start == 100
    assert blocks[-1].id.end == lane.next_offset == position
    assert lane.buffered_bytes == 0
    for one, next_one in pairwise(blocks):
        assert one.id.end == next_one.id.start
        assert one.id.opened_at < next_one.id.opened_at
    written: list[int] = []
    for block in blocks:
        assert block.records <= limits.records
        rows = block.table().column("kafka_offset").to_pylist() if block.rows else []
        handled = sorted([*rows, *(refusal.offset for refusal in block.refusals)])
        assert all(block.id.start <= offset < block.id.end for offset in handled)
        assert len(handled) == block.records
        written += handled
    assert written == offered


@given(st.integers(1, 30), st.integers(0, 20), limits)
def test_a_replay_takes_exactly_its_range(length: int, more: int, limits: BlockLimits) -> None:
    lane = make_lane(Replay(10, 10 + length, 777, "i"), limits)
    lane.offer(chunk_of(list(range(10, 10 + length + more))), 5000)
    assert lane.is_due(5000, 0)
    while lane.stage():
        pass
    block = lane.seal(5000)
    assert (block.id.start, block.id.end, block.id.opened_at) == (10, 10 + length, 777)
    assert block.records == length
    assert block.recorded
    # What follows is opened once that is done, and later than anything that has arrived.
    assert not lane.stage()
    lane.opened_at = 9000
    lane.done(6000)
    assert lane.next_offset == 10 + length
    assert lane.is_empty == (more == 0)
    if more:
        while lane.stage():
            pass
        assert lane.seal(6000).id.opened_at == 9001


def test_a_replayed_range_without_records_is_done_once_the_log_has_passed_it() -> None:
    lane = make_lane(Replay(10, 12, 777, "i"), BlockLimits(10, 10, 10))
    assert not lane.is_due(5000, 0)
    lane.reached(12)
    assert lane.is_due(5000, 0)
    assert lane.seal(5000).records == 0


def test_a_block_that_waits_too_long_takes_no_more_records() -> None:
    lane = make_lane(Resume(0, 0, "i"), BlockLimits(100, 10_000, 10))
    lane.offer(chunk_of([0, 1]), 1000)
    assert lane.wants(2000)
    assert not lane.wants(1000 + 10_000)


def test_small_blocks_wait_longer_where_writing_is_slow() -> None:
    pace = Pace(400, 1_500)
    assert pace.age_ms(20) == 400
    for _ in range(50):
        pace.wrote(20)
    assert pace.age_ms(5) == 400
    assert 600 < pace.age_ms(20) <= 1500
    for _ in range(50):
        pace.wrote(1_000)
    assert pace.age_ms(1) == 1500
