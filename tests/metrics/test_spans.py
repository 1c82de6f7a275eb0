"""Spans cover a period without a gap, an overlap, or a minute that is not asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS
from services.common.query.folds import UNIQUES_SPANS
from services.common.query.spans import aligned, cover

minutes = st.integers(0, 20_000)


@given(minutes, minutes, st.sampled_from([UNIQUES_SPANS, (10, 480), (480,)]))
def test_what_spans_cover_is_the_middle_of_the_period(one: int, other: int, spans: tuple[int, ...]) -> None:
    start, end = min(one, other) * MINUTE_MS, max(one, other) * MINUTE_MS
    found = cover(start, end, spans)
    shortest = min(spans) * MINUTE_MS
    if found is None:
        assert -(-start // shortest) >= end // shortest
        return
    assert 0 <= found.first_ms - start < shortest
    assert 0 <= end - found.last_ms < shortest
    reached = found.first_ms
    for each in found.ranges:
        assert each.minutes in spans
        assert each.start_ms == reached < each.end_ms
        assert each.start_ms % (each.minutes * MINUTE_MS) == 0
        assert each.end_ms % (each.minutes * MINUTE_MS) == 0
        reached = each.end_ms
    assert reached == found.last_ms
    # No longer span would have fitted anywhere: at most a few spans of each length but the longest.
    for shorter, longer in zip(sorted(spans), sorted(spans)[1:], strict=False):
        used = sum((each.end_ms - each.start_ms) // MINUTE_MS for each in found.ranges if each.minutes == shorter)
        assert used < 2 * longer


@given(st.lists(minutes, max_size=4))
def test_no_span_lies_across_a_cut(cuts: list[int]) -> None:
    kept = aligned(UNIQUES_SPANS, [cut * MINUTE_MS for cut in cuts])
    assert kept == [span for span in UNIQUES_SPANS if all(cut % span == 0 for cut in cuts)]
