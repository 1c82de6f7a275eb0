"""Spans of a series: a span that is missing, doubled or off by an hour is a wrong curve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.errors import InvalidRequest
from services.common.query.buckets import bucket_starts, even_step, parse_interval

ZONES = ["Asia/Shanghai", "UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin"]
MINUTES = [1, 5, 15, 60, 120, 360, 720, 1440]


@given(
    start=st.integers(0, 4_000_000_000 // 60).map(lambda minute: minute * MINUTE_MS),
    length=st.integers(1, 4 * 1440),
    minutes=st.sampled_from([5, 15, 60, 360, 1440]),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_every_minute_of_the_period_lies_in_exactly_one_span(
    start: int, length: int, minutes: int, zone: ZoneInfo
) -> None:
    end = start + length * MINUTE_MS
    starts = bucket_starts(start, end, minutes, zone)
    assert list(starts) == sorted(set(starts))
    assert starts[0] <= start < end
    assert starts[-1] < end
    if len(starts) > 1:
        assert starts[1] > start


@given(
    start=st.integers(0, 330 * 1440).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    minutes=st.sampled_from(MINUTES),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_spans_begin_where_the_wall_clock_shows_a_round_time(start: datetime, minutes: int, zone: ZoneInfo) -> None:
    begin = to_ms(start)
    for moment in bucket_starts(begin, begin + 2 * 1440 * MINUTE_MS, minutes, zone)[:500]:
        local = to_datetime(moment).astimezone(zone)
        since_midnight = local.hour * 60 + local.minute
        # Spans up to an hour are of equal length; in these zones clocks change by whole hours, so they stay round.
        if minutes <= 60:
            assert since_midnight % minutes == 0
        else:
            assert (
                since_midnight % minutes == 0
                or local.utcoffset() != (to_datetime(moment - MINUTE_MS).astimezone(zone)).utcoffset()
            )


def test_a_day_follows_the_clock_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = to_ms(datetime(2026, 10, 24, tzinfo=zone))
    starts = bucket_starts(start, start + 3 * 1440 * MINUTE_MS, 1440, zone)
    assert [later - earlier for earlier, later in pairwise(starts)] == [
        24 * 60 * MINUTE_MS,
        25 * 60 * MINUTE_MS,
        24 * 60 * MINUTE_MS,
    ][: len(starts) - 1]
    assert even_step(starts, start + 3 * 1440 * MINUTE_MS) is None


def test_a_last_day_of_25_hours_is_not_even() -> None:
    zone = ZoneInfo("America/New_York")
    start, end = to_ms(datetime(2026, 10, 20, tzinfo=zone)), to_ms(datetime(2026, 11, 2, tzinfo=zone))
    starts = bucket_starts(start, end, 1440, zone)
    assert {later - earlier for earlier, later in pairwise(starts)} == {24 * 60 * MINUTE_MS}
    assert even_step(starts, end) is None
    assert even_step(starts, end - 60 * MINUTE_MS) == 24 * 60 * MINUTE_MS
    assert even_step(starts[:-1], starts[-1]) == 24 * 60 * MINUTE_MS


def test_today_begins_at_midnight_in_the_campaigns_zone() -> None:
    start = to_ms(datetime(2026, 11, 10, 16, 30, tzinfo=UTC))
    starts = bucket_starts(start, start + MINUTE_MS, 1440, ZoneInfo("Asia/Shanghai"))
    assert starts == (to_ms(datetime(2026, 11, 10, 16, tzinfo=UTC)),)


@pytest.mark.parametrize(("text", "minutes"), [("1m", 1), ("15m", 15), ("1h", 60), ("6h", 360), ("1d", 1440)])
def test_intervals_that_divide_a_day_are_understood(text: str, minutes: int) -> None:
    assert parse_interval(text) == minutes


@pytest.mark.parametrize("text", ["", "m", "0m", "-1m", "7m", "2d", "25h", "1s", "1M", " 1m", "1m\n", "１m"])
def test_other_intervals_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_interval(text)
    assert refusal.value.field == "interval"


def test_an_empty_period_has_no_spans() -> None:
    assert bucket_starts(MINUTE_MS, MINUTE_MS, 1, ZoneInfo("UTC")) == ()
