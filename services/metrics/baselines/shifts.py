"""From a moment of the period that is asked for to the moment it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from services.common.clock import to_datetime, to_ms
from services.common.query.buckets import bucket_starts


class Shift(Protocol):
    """How moments correspond. All are epoch milliseconds."""

    def moment(self, ms: int) -> int:
        """The moment that is compared with `ms`."""
        ...

    def spans(self, starts: tuple[int, ...], start_ms: int, end_ms: int, minutes: int) -> tuple[int, ...]:
        """The ascending starts of all spans of the compared period `[start_ms, end_ms)`, given those of the series."""
        ...

    def counterpart(self, start_ms: int) -> int | None:
        """The start of the span that is compared with the span that starts at `start_ms`; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ByDistance:
    """The same distance from another start: `distance_ms` later."""

    distance_ms: int

    def moment(self, ms: int) -> int:
        return ms + self.distance_ms

    def spans(self, starts: tuple[int, ...], start_ms: int, end_ms: int, minutes: int) -> tuple[int, ...]:
        return tuple(moment for start in starts if (moment := start + self.distance_ms) < end_ms)

    def counterpart(self, start_ms: int) -> int | None:
        return start_ms + self.distance_ms


@dataclass(frozen=True, slots=True)
class ByClock:
    """The same reading of the zone's clock, whole days earlier, be they 23, 24 or 25 hours long.

    A reading that occurs twice there stands for the first time it occurs. One that was skipped has no counterpart;
    as a bound it stands for the moment at which the clock was put forward.
    """

    days: int
    zone: ZoneInfo

    def moment(self, ms: int) -> int:
        wall = self._wall(ms)
        # In a gap, fold 0 reads the clock as it ran before it and fold 1 as after: the gap's moment lies between.
        late, early = (to_ms(wall.replace(tzinfo=self.zone, fold=fold)) for fold in (0, 1))
        if late <= early:
            return late
        before = to_datetime(early).astimezone(self.zone).utcoffset()
        while late - early > 1:
            middle = (early + late) // 2
            if to_datetime(middle).astimezone(self.zone).utcoffset() == before:
                early = middle
            else:
                late = middle
        return late

    def spans(self, starts: tuple[int, ...], start_ms: int, end_ms: int, minutes: int) -> tuple[int, ...]:
        return bucket_starts(start_ms, end_ms, minutes, self.zone)

    def counterpart(self, start_ms: int) -> int | None:
        wall = self._wall(start_ms)
        moment = to_ms(wall.replace(tzinfo=self.zone))
        back = to_datetime(moment).astimezone(self.zone).replace(tzinfo=None, fold=0)
        return moment if back == wall else None

    def _wall(self, ms: int) -> datetime:
        local = to_datetime(ms).astimezone(self.zone)
        return local.replace(tzinfo=None, fold=0) - timedelta(days=self.days)
