"""Hours of the day that come again: when a maintenance window is open. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from services.common.clock import to_datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")


@dataclass(frozen=True, slots=True)
class Hours:
    """From minute `start` of the local day to before minute `end`; an end that is not later is on the day after.

    `days` are those on which it starts, 0 being Monday. Local time is what clocks there show: an hour that is skipped
    or shown twice in the night of a change is skipped or counts twice.
    """

    start: int
    end: int
    days: frozenset[int]
    zone: str

    def holds(self, now: int) -> bool:
        """Whether it is one of these hours; `now` in epoch milliseconds."""
        local = to_datetime(now).astimezone(ZoneInfo(self.zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and day in self.days
        return (minute >= self.start and day in self.days) or (minute < self.end and (day - 1) % 7 in self.days)


def hours_of(stated: Any) -> Hours | None:
    """Of `hours` such as `02:00-04:00`, `days` and `timezone`; None of nothing. Raises `ValueError`."""
    if not stated:
        return None
    match = _SPAN.match(stated["hours"])
    if match is None:
        raise ValueError("hours must be such as 02:00-04:00")
    first, second, third, fourth = map(int, match.groups())
    days = frozenset(DAYS.index(day) for day in stated.get("days") or DAYS)
    return Hours(first * 60 + second, third * 60 + fourth, days, stated["timezone"])
