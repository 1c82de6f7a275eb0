"""The spans of time that a report is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from services.common.clock import MINUTE_MS, floor_minute, to_datetime, to_ms

DAY_MS = 1440 * MINUTE_MS
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)


class Stage(StrEnum):
    """How far the campaign has come."""

    COMING = "coming"
    """Nothing of it is known to have happened."""
    RUNNING = "running"
    ENDED = "ended"


def moment(ms: int) -> str:
    """RFC 3339 in UTC, as the API takes it."""
    return to_datetime(ms).isoformat(timespec="seconds").replace("+00:00", "Z")


def parsed(text: str | None) -> int | None:
    """Epoch ms of an RFC 3339 text."""
    return None if text is None else to_ms(datetime.fromisoformat(text).astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Span:
    """`[start_ms, end_ms)`, in epoch ms."""

    start_ms: int
    end_ms: int

    @property
    def minutes(self) -> int:
        """Its length in whole minutes."""
        return (self.end_ms - self.start_ms) // MINUTE_MS

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """As parameters of a query."""
        return ("from", moment(self.start_ms)), ("to", moment(self.end_ms))

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        """How much of another span lies in this one."""
        return max(0, min(self.end_ms, end_ms) - max(self.start_ms, start_ms))

    def pieces(self, length_ms: int) -> Iterator[Span]:
        """The span in pieces of this length, the last one shorter."""
        for start in range(self.start_ms, self.end_ms, length_ms):
            yield Span(start, min(start + length_ms, self.end_ms))

    def interval_minutes(self, most_buckets: int) -> int:
        """The finest interval that cuts the span into no more buckets than this, a day at the longest."""
        return next((m for m in _MINUTES if self.minutes <= m * most_buckets), _MINUTES[-1])


@dataclass(frozen=True, slots=True)
class Extent:
    """What the report covers. `end_ms` is the declared end, None where none was declared."""

    stage: Stage
    span: Span
    end_ms: int | None
    as_of_ms: int
    watermark_ms: int | None
    zone: ZoneInfo

    @property
    def since(self) -> Span | None:
        """From the campaign's end until now; None before its end or within its minute."""
        now = floor_minute(self.as_of_ms)
        return Span(self.span.end_ms, now) if self.stage is Stage.ENDED and now > self.span.end_ms else None

    def local(self, ms: int) -> datetime:
        """A moment on the campaign's wall clock."""
        return to_datetime(ms).astimezone(self.zone)


def extent_of(campaign: dict[str, Any], as_of_ms: int, watermark_ms: int | None) -> Extent:
    """From the campaign's start to its end, or, while it runs, to the last minute of which everything is in.

    A minute that may still change would be another figure by the time that somebody follows its link.
    """
    start_ms = floor_minute(parsed(campaign["start"]) or 0)
    end = parsed(campaign.get("end"))
    end_ms = None if end is None else floor_minute(end)
    zone = ZoneInfo(campaign["timezone"])
    if end_ms is not None and as_of_ms >= end_ms:
        return Extent(Stage.ENDED, Span(start_ms, end_ms), end_ms, as_of_ms, watermark_ms, zone)
    until = floor_minute(as_of_ms if watermark_ms is None else min(as_of_ms, watermark_ms))
    stage = Stage.RUNNING if until > start_ms else Stage.COMING
    return Extent(stage, Span(start_ms, max(start_ms, until)), end_ms, as_of_ms, watermark_ms, zone)
