"""RFC 3339 times, compiled."""

from __future__ import annotations

from typing import Any, Final

from services.ingest.scan.compiled import compiled

NO_TIME: Final = -1

_MINUS: Final = ord("-")
_LARGE_T: Final = ord("T")
_COLON: Final = ord(":")
_LARGE_Z: Final = ord("Z")
_PLUS: Final = ord("+")
_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_NINE: Final = ord("9")
# Numba takes these for constants; `ord` it would call for every byte.

_SHORTEST: Final = len("2026-11-11T20:00:00Z")
_OFFSET: Final = len("+08:00")
_BASE_YEAR: Final = 2000


@compiled
def read_times(data: Any, starts: Any, lengths: Any, latest: int, times: Any, plain: Any) -> None:
    """Reads the time of every record that is `plain`, at `data[starts[i]:starts[i] + lengths[i]]`, into `times`.

    A record whose time is not surely right, or later than `latest` (epoch milliseconds), is plain no more.
    """
    for i in range(len(plain)):
        if plain[i]:
            times[i] = epoch_ms(data, starts[i], starts[i] + lengths[i])
            if times[i] == NO_TIME or times[i] > latest:
                plain[i] = False


@compiled
def epoch_ms(data: Any, at: int, end: int) -> int:  # noqa: PLR0911  # each says what is wrong
    """Epoch milliseconds of the time in `data[at:end]`, further fractions cut off.

    `NO_TIME` for what is no time, is before 2000, or is written in a rare form (a leap second, small letters). The
    day count is that of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    """
    if (
        end - at < _SHORTEST
        or data[at + 4] != _MINUS
        or data[at + 7] != _MINUS
        or data[at + 10] != _LARGE_T
        or data[at + 13] != _COLON
        or data[at + 16] != _COLON
    ):
        return NO_TIME
    century, rest = _two_digits(data, at), _two_digits(data, at + 2)
    month, day = _two_digits(data, at + 5), _two_digits(data, at + 8)
    hour, minute, second = _two_digits(data, at + 11), _two_digits(data, at + 14), _two_digits(data, at + 17)
    if min(century, rest, month, day, hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return NO_TIME
    year = century * 100 + rest
    if year < _BASE_YEAR or not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        return NO_TIME
    at += _SHORTEST - 1
    milliseconds, at = _fraction(data, at, end)
    if milliseconds < 0 or at >= end:
        return NO_TIME
    offset = 0
    if data[at] == _LARGE_Z:
        if at + 1 != end:
            return NO_TIME
    else:
        if at + _OFFSET != end or data[at + 3] != _COLON or (data[at] != _PLUS and data[at] != _MINUS):
            return NO_TIME
        hours, minutes = _two_digits(data, at + 1), _two_digits(data, at + 4)
        if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
            return NO_TIME
        offset = hours * 60 + minutes if data[at] == _PLUS else -(hours * 60 + minutes)
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    days = era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
    time = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + milliseconds
    return time if time >= 946_684_800_000 else NO_TIME


@compiled
def _two_digits(data: Any, at: int) -> int:
    tens, ones = int(data[at]) - _ZERO, int(data[at + 1]) - _ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@compiled
def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@compiled
def _fraction(data: Any, at: int, end: int) -> tuple[int, int]:
    """Milliseconds of the fraction at `at`, which may be missing, and the position after it; -1 when it is none."""
    if at >= end or data[at] != _POINT:
        return 0, at
    at += 1
    start = at
    milliseconds = 0
    unit = 100
    while at < end and _ZERO <= data[at] <= _NINE:
        milliseconds += unit * (int(data[at]) - _ZERO)
        unit //= 10
        at += 1
    return (milliseconds, at) if at > start else (-1, at)
