"""Spans of a time series, aligned to the clock on the campaign's wall."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.errors import InvalidRequest

_MINUTES = {"m": 1, "h": 60, "d": 1440}
_DAY = 1440


def parse_interval(text: str) -> int:
    """Minutes of `1m`, `15m`, `6h`, `1d`. Raises `InvalidRequest` unless a day is a whole number of them."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None:
        raise InvalidRequest("interval", "must be a number followed by m, h or d, such as 1m, 15m, 1h or 1d")
    minutes = int(match.group(1)) * _MINUTES[match.group(2)]
    if minutes > _DAY or _DAY % minutes != 0:
        raise InvalidRequest("interval", "must divide a day evenly, such as 1m, 5m, 15m, 1h, 6h or 1d")
    return minutes


def count_buckets(start_ms: int, end_ms: int, minutes: int) -> int:
    """At most how many spans cover the period; cheap, for refusing a period before its spans are made."""
    return max(0, (end_ms - start_ms) // (minutes * MINUTE_MS) + 2)


def bucket_starts(start_ms: int, end_ms: int, minutes: int, zone: ZoneInfo) -> tuple[int, ...]:
    """The starts, in epoch ms, of all spans that touch `[start_ms, end_ms)`.

    Spans up to an hour are of equal length. Longer ones follow the zone's clock: a day is from midnight to midnight,
    be it 23, 24 or 25 hours long. None starts before 1970, where the store's time begins.
    """
    if end_ms <= start_ms:
        return ()
    local = to_datetime(start_ms).astimezone(zone)
    if minutes <= 60:
        since_midnight = local.hour * 60 + local.minute
        first = max(0, start_ms - since_midnight % minutes * MINUTE_MS)
        return tuple(range(first, end_ms, minutes * MINUTE_MS))
    starts: list[int] = []
    wall = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - a reading of the wall clock, no moment yet
    while True:
        moment = to_ms(wall.replace(tzinfo=zone).astimezone(UTC))
        if moment >= end_ms:
            return tuple(starts)
        if moment <= start_ms:
            starts = [max(0, moment)]
        elif moment > starts[-1]:
            starts.append(moment)
        wall += timedelta(minutes=minutes)


def even_step(starts: tuple[int, ...], end_ms: int) -> int | None:
    """The common distance of the starts in ms, which the last span up to `end_ms` does not exceed; None when the zone's
    clock was changed within them."""
    if len(starts) < 2:
        return _DAY * MINUTE_MS * 2
    steps = {later - earlier for earlier, later in pairwise(starts)}
    return steps.pop() if len(steps) == 1 and end_ms - starts[-1] <= max(steps) else None
