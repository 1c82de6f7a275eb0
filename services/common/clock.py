"""Time as an argument: logic never reads the wall clock by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns the present moment in milliseconds since 1970-01-01T00:00:00Z."""

MINUTE_MS = 60_000


def wall_clock() -> int:
    """The machine's clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def to_datetime(ms: int) -> datetime:
    """An aware UTC datetime of epoch milliseconds."""
    return datetime.fromtimestamp(ms // 1000, tz=UTC).replace(microsecond=ms % 1000 * 1000)


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime; what is finer than a millisecond is cut off."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def floor_minute(ms: int) -> int:
    """The start of the minute that holds the moment."""
    return ms - ms % MINUTE_MS
