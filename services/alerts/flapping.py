"""What comes and goes is one alert that ends late, not many that begin: pure.

What fires again within the cool-down after its end is the same alert, firing once more. And the more often it has come
back of late, the longer it has to be gone before it ends: the first time costs nothing, then 30 s, a minute and so on,
ten minutes at the most. So a receiver is told of something that flaps all day about six times an hour, and of something
that happens twice exactly twice. Every change that is told stays a change that took place: nothing is held back, an
alert only lasts longer.
"""

from __future__ import annotations

from dataclasses import replace

from services.alerts.alert import Alert
from services.alerts.lifecycle import Pace

COOL_DOWN_MS = 60_000
REMEMBER_MS = 900_000
"""What ended longer ago than this, and than its cool-down, was another matter."""
_STEP_MS = 15_000
LONGEST_MS = 600_000
LONGEST_MEMORY_MS = 3 * LONGEST_MS
_MOST_DOUBLINGS = 16


def steadied(pace: Pace, flaps: int) -> Pace:
    """The rule's pace for an alert that has come back so often: gone for longer before it ends."""
    if flaps < 2:
        return pace
    longer = min(LONGEST_MS, max(pace.keep_ms, _STEP_MS) * 2 ** min(flaps - 1, _MOST_DOUBLINGS))
    return replace(pace, keep_ms=max(pace.keep_ms, longer))


def fires_again(past: Alert, now: int, pace: Pace) -> bool:
    """Whether what begins now is the alert that has ended, and not another one of the same thing."""
    return now - _ended(past, pace) < _cool_down_ms(past, pace)


def remembered(past: Alert, now: int, pace: Pace) -> bool:
    """Whether an alert that has ended still says something about the next one of the same thing."""
    return now - _ended(past, pace) < max(REMEMBER_MS, _cool_down_ms(past, pace))


def _cool_down_ms(past: Alert, pace: Pace) -> int:
    return max(COOL_DOWN_MS, 2 * steadied(pace, past.flaps).keep_ms)


def _ended(past: Alert, pace: Pace) -> int:
    """When it was told that it was over."""
    return (past.ends_at or 0) + steadied(pace, past.flaps).keep_ms
