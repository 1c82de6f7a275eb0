"""The period of an audit, from what people write."""

from __future__ import annotations

from datetime import UTC, datetime

from services.audit.scope import DAY_MS
from services.common.clock import to_ms
from services.common.errors import InvalidRequest


def period(start: str | None, end: str | None, day: str | None, now: int) -> tuple[int, int]:
    """`[start, end)` in epoch milliseconds; `now` is one moment more than the last that is looked at by default.

    `day` is `YYYY-MM-DD` in UTC. Without anything it is the day before `now`. Raises `InvalidRequest`.
    """
    if day is not None:
        if start is not None or end is not None:
            raise InvalidRequest("day", "leaves nothing for from and to to say; give one or the other")
        begins = _moment("day", day)
        if begins % DAY_MS:
            raise InvalidRequest("day", "must be a date, YYYY-MM-DD")
        return begins, begins + DAY_MS
    ends = now if end is None else _moment("to", end)
    begins = ends - DAY_MS if start is None else _moment("from", start)
    if begins >= ends:
        raise InvalidRequest("from", "must be before to")
    return begins, ends


def today(now: int, every_ms: int) -> tuple[int, int]:
    """What an audit on schedule looks at: the day of arrival so far, and the day before once more after midnight."""
    began = now - min(every_ms, DAY_MS)
    return began - began % DAY_MS, now


def _moment(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(name, f"{text!r} is no moment; write 2026-11-11T00:00:00+08:00 or 2026-11-11") from None
    # A date, or a time without an offset, is one in UTC, as are the days of arrival.
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
