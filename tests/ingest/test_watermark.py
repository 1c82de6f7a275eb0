"""The watermark never claims more than what is in the tables, and claims all of it in the end."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watermark import Observation, Watermark

START = 1000

gaps = st.lists(st.integers(0, 30), max_size=60)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("observe"), st.integers(0, 40), st.integers(0, 5)),
        st.tuples(st.just("write"), st.integers(1, 20), st.just(0)),
    ),
    max_size=60,
)


@given(gaps, st.lists(st.integers(0, 50), min_size=61, max_size=61), actions, st.booleans())
def test_every_record_held_at_the_watermark_is_in(
    gaps: list[int], delays: list[int], actions: list[tuple[str, int, int]], fetched: bool
) -> None:
    arrivals = [START + each for each in accumulate(gaps)]
    # A producer's clock that is right: the record carries a time at or before its arrival.
    produced = [arrival - delay for arrival, delay in zip(arrivals, delays, strict=False)]
    watermark, now, next_offset, before = Watermark(), START, 0, 0
    for action, amount, latency in actions:
        if action == "observe":
            now += amount
            # The broker answers some time after it was asked.
            watermark.observe(Observation(now, bisect_right(arrivals, now + latency)))
            now += latency
        else:
            next_offset = min(bisect_right(arrivals, now), next_offset + amount)
        first = None
        if fetched and next_offset < bisect_right(arrivals, now):
            # A lane knows the time of a record at or before the first that is not in.
            first = min(produced[: next_offset + 1])
        claim = watermark.advance(next_offset, first)
        assert claim >= before
        before = claim
        held = bisect_right(arrivals, claim)
        # A record that arrives in the very millisecond of an observation may be missed by it.
        assert bisect_right(arrivals, claim - 1) <= next_offset or claim == 0, (claim, held, next_offset)


def test_caught_up_it_is_the_moment_of_the_last_observation() -> None:
    watermark = Watermark()
    for moment in (10, 20, 30):
        watermark.observe(Observation(moment, 5))
    assert watermark.advance(4, None) == 0
    assert watermark.advance(5, None) == 30


def test_behind_it_is_the_last_observation_that_was_reached() -> None:
    watermark = Watermark()
    for moment, end in ((10, 5), (20, 8), (30, 20)):
        watermark.observe(Observation(moment, end))
    assert watermark.advance(10, 12) == 20


def test_a_backlog_at_the_start_is_dated_by_its_records() -> None:
    watermark = Watermark()
    watermark.observe(Observation(1000, 50))
    assert watermark.advance(0, 700) == 700
    assert watermark.advance(10, 800) == 800


def test_a_producer_whose_clock_is_ahead_is_not_believed() -> None:
    watermark = Watermark()
    watermark.observe(Observation(1000, 50))
    assert watermark.advance(0, 99_999) == 1000


def test_long_lag_fits_in_little_memory_and_stays_fine() -> None:
    watermark = Watermark()
    for moment in range(1, 100_001):
        watermark.observe(Observation(moment * 1000, moment))
    assert len(watermark._unreached) <= 1024
    for reached in range(1_000, 100_000, 1_000):
        claim = watermark.advance(reached, None) / 1000
        assert reached * 0.99 - 500 <= claim <= reached
