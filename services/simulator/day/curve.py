"""How busy the hours of a day are: quiet nights, a peak at lunch, a higher one in the evening."""

from __future__ import annotations

import math

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONE_MS = 8 * HOUR_MS
"""China has one time zone."""

_HOURS = (
    0.85, 0.55, 0.40, 0.33, 0.30, 0.32, 0.42, 0.60, 0.80, 0.95, 1.05, 1.15,
    1.30, 1.20, 1.05, 1.00, 1.00, 1.05, 1.15, 1.35, 1.55, 1.60, 1.45, 1.15,
)  # fmt: skip


def day_curve(at_ms: int) -> float:
    """How busy a moment of the day is at the festival's own time; 1 is about the mean, and it changes gently."""
    hour, into = divmod((at_ms + ZONE_MS) % DAY_MS / HOUR_MS, 1.0)
    here, there = _HOURS[int(hour)], _HOURS[(int(hour) + 1) % 24]
    return here + (there - here) * (1 - math.cos(math.pi * into)) / 2


def midnight_within(start_ms: int, end_ms: int) -> int | None:
    """The first midnight of the festival's own time in a span, half-open; None without one."""
    midnight = -(-(start_ms + ZONE_MS) // DAY_MS) * DAY_MS - ZONE_MS
    return midnight if midnight < end_ms else None
