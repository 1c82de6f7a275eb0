"""RFC 3339 timestamps to epoch milliseconds."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAYS_IN_400_YEARS: Final = 146_097


def parse_rfc3339(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 timestamp with offset; digits beyond milliseconds are cut off.

    Second 60 counts as the next second. Raises `ValueError` with a reason when the text is anything else.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 time with an offset")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no such time of day")
    fraction, sign, offset_hour, offset_minute = match.group(7, 8, 9, 10)
    offset = 0
    if sign is not None:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            raise ValueError("no such offset")
        offset = (int(offset_hour) * 60 + int(offset_minute)) * (-1 if sign == "-" else 1)
    seconds = (_days(year, month, day) * 1440 + hour * 60 + minute - offset) * 60 + second
    return seconds * 1000 + (int(fraction[:3].ljust(3, "0")) if fraction else 0)


def _days(year: int, month: int, day: int) -> int:
    # RFC 3339 has a year 0000 and `date` has not; the calendar repeats every 400 years.
    shift = 400 if year == 0 else 0
    try:
        ordinal = date(year + shift, month, day).toordinal()
    except ValueError:
        raise ValueError("no such day") from None
    return ordinal - (_DAYS_IN_400_YEARS if shift else 0) - _EPOCH_DAY
