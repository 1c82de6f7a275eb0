"""What is committed, and what is made of it after a crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.protocol import (
    BlockId,
    Checkpoint,
    Decision,
    Replay,
    Resume,
    matters_since,
    new_incarnation,
    on_assignment,
)

offsets = st.integers(0, 1000)


@given(st.text(min_size=1, max_size=8), st.integers(0, 2**45), offsets, st.none() | st.integers(1, 500))
def test_a_checkpoint_survives_its_encoding(incarnation: str, opened_at: int, start: int, length: int | None) -> None:
    checkpoint = Checkpoint(incarnation, opened_at, start, None if length is None else start + length)
    assert Checkpoint.decode(start, checkpoint.encode()) == checkpoint
    assert Checkpoint.decode(start + 1, checkpoint.encode()) is None


@pytest.mark.parametrize(
    "metadata",
    [None, "", "x", "[]", "{}", "1", '{"v":2}', '{"v":1,"start":5}',
     '{"v":1,"incarnation":"a","opened_at":1,"start":5,"end":5}',
     '{"v":1,"incarnation":"a","opened_at":1,"start":5,"end":"9"}',
     '{"v":1,"incarnation":7,"opened_at":1,"start":5,"end":9}'],
)  # fmt: skip
def test_what_others_committed_is_not_believed(metadata: str | None) -> None:
    assert Checkpoint.decode(5, metadata) is None


@given(offsets, offsets, offsets, st.none() | st.integers(1, 300))
def test_nothing_is_skipped_that_is_not_surely_in(start: int, log_start: int, more: int, length: int | None) -> None:
    log_end = log_start + more
    end = None if length is None else start + length
    checkpoint = Checkpoint("old", 77, start, end)
    decision = on_assignment(start, checkpoint.encode(), log_start=log_start, log_end=log_end, new_incarnation="new")
    if isinstance(decision, Replay):
        # Only a block whose records are all there can be built again as it was.
        assert (decision.start, decision.end, decision.opened_at) == (start, end, 77)
        assert decision.incarnation == "old"
        assert log_start <= decision.start < decision.end <= log_end
        return
    assert log_start <= decision.offset <= log_end
    assert decision.opened_at == 77
    if decision.notice is None:
        assert (decision.offset, decision.incarnation, decision.missing) == (start, "old", 0)
        assert end is None
    else:
        assert decision.incarnation == "new"
        # It goes on behind the committed offset only where the log has nothing before.
        assert decision.offset <= start or decision.offset == log_start
        assert decision.missing == (max(0, log_start - start) if start <= log_end else 0)


def test_a_partition_without_offsets_is_read_from_its_start() -> None:
    assert on_assignment(None, None, log_start=3, log_end=9, new_incarnation="n") == Resume(3, 0, "n")


def test_an_offset_set_by_a_tool_is_where_reading_goes_on() -> None:
    assert on_assignment(5, "", log_start=3, log_end=9, new_incarnation="n") == Resume(5, 0, "n")


def test_records_that_retention_took_are_counted() -> None:
    decision = on_assignment(5, "", log_start=8, log_end=9, new_incarnation="n")
    assert isinstance(decision, Resume)
    assert (decision.offset, decision.missing) == (8, 3)
    assert decision.notice


def test_a_token_tells_apart_all_that_must_be() -> None:
    block = BlockId("t", 1, "i", 10, 20, 1000)
    others = [
        BlockId("u", 1, "i", 10, 20, 1000),
        BlockId("t", 2, "i", 10, 20, 1000),
        BlockId("t", 1, "j", 10, 20, 1000),
        BlockId("t", 1, "i", 11, 20, 1000),
        BlockId("t", 1, "i", 10, 21, 1000),
        BlockId("t", 1, "i", 10, 20, 1001),
    ]
    assert len({block.token, *(other.token for other in others)}) == 7


@given(offsets, offsets, offsets, st.none() | st.integers(1, 300), st.sampled_from([None, "a", "b"]))
def test_a_topic_that_was_made_anew_is_read_from_its_start(
    start: int, log_start: int, more: int, length: int | None, now: str | None
) -> None:
    """However far the new one has grown: its records stand at offsets that the old one's block names."""
    end = None if length is None else start + length
    checkpoint = Checkpoint(new_incarnation("a", "1"), 77, start, end)
    log = {"log_start": log_start, "log_end": log_start + more}
    decision = on_assignment(start, checkpoint.encode(), **log, new_incarnation=new_incarnation(now, "2"))
    if now == "b":
        assert isinstance(decision, Resume)
        assert (decision.offset, decision.opened_at, decision.incarnation) == (log_start, 77, "b.2")
        assert decision.notice
    else:
        # The same topic, or a broker that does not tell: the offsets decide as ever.
        unknown = Checkpoint("1", 77, start, end)
        same = on_assignment(start, unknown.encode(), **log, new_incarnation="2")
        assert type(decision) is type(same)
        assert decision.incarnation in ("a.1", new_incarnation(now, "2"))
        assert (decision.incarnation == "a.1") == (same.incarnation == "1")


def test_a_broker_that_begins_to_tell_ids_is_believed_once_no_block_is_open() -> None:
    log = {"log_start": 0, "log_end": 9}
    quiet, block = Checkpoint("1", 77, 5), Checkpoint("1", 77, 5, 7)
    assert on_assignment(5, quiet.encode(), **log, new_incarnation="a.2") == Resume(5, 77, "a.2")
    assert on_assignment(5, block.encode(), **log, new_incarnation="a.2") == Replay(5, 7, 77, "1")


@given(st.integers(0, 5_000), st.integers(5_000, 9_000), st.integers(1, 900), st.integers(-900, 5_000), st.booleans())
def test_nothing_that_arrived_within_the_horizon_before_a_block_is_passed_over(
    opened_at: int, now: int, horizon: int, step: int, replay: bool
) -> None:
    """Also when the clock goes back between the start and the block, by a horizon at most."""
    decision: Decision = Replay(3, 9, opened_at, "i") if replay else Resume(3, opened_at, "i")
    next_opened_at = opened_at if replay else max(now + max(step, -horizon), opened_at + 1)
    assert matters_since(decision, now, horizon) <= next_opened_at - horizon
