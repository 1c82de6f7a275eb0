"""`traffic{channel="app"}: 50x18 400x6 50x30`: how a series is written.

A series is named as `name{label="value", ...}`. Its values are what happens in each interval, one after the other:

- `7` in one interval, `7x6` in each of six;
- `10..40x4` from one number to another, step by step: 10 20 30 40;
- `_` or `_x6` nothing is reported; for events that is zero.

Money has at most two decimals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_NAME = re.compile(r"^\s*([a-z_]+)\s*(?:\{(.*)\})?\s*$")
_LABEL = re.compile(r'\s*([a-z_]+)\s*=\s*"([^"]*)"\s*(,|$)')
_VALUE = re.compile(r"^(?:_|(\d+(?:\.\d{1,2})?)(?:\.\.(\d+(?:\.\d{1,2})?))?)(?:x(\d{1,5}))?$")
LONGEST = 20_000
"""Intervals of a series."""


@dataclass(frozen=True, slots=True)
class Written:
    """A series as written; None is an interval in which nothing is reported."""

    name: str
    labels: Mapping[str, str]
    values: tuple[Decimal | None, ...]


def parse_series(name: str, values: str) -> Written:
    """Raises `ValueError`, which says what is wrong."""
    matched = _NAME.match(name)
    if matched is None:
        raise ValueError(f'{name!r} is no series; write name{{label="value"}}')
    labels: dict[str, str] = {}
    rest = matched[2] or ""
    while rest.strip():
        label = _LABEL.match(rest)
        if label is None:
            raise ValueError(f'{rest.strip()!r} is no label; write name="value", with commas between')
        labels[label[1]] = label[2]
        rest = rest[label.end() :]
    return Written(matched[1], labels, _values(values))


def _values(text: str) -> tuple[Decimal | None, ...]:
    found: list[Decimal | None] = []
    for part in text.split():
        matched = _VALUE.match(part)
        if matched is None:
            raise ValueError(f"{part!r} is no value; write 7, 7x6, 10..40x4 or _")
        times = 1 if matched[3] is None else int(matched[3])
        if times < 1 or len(found) + times > LONGEST:
            raise ValueError(f"{part!r}: a series has 1 to {LONGEST} values")
        try:
            first = None if matched[1] is None else Decimal(matched[1])
            last = first if matched[2] is None else Decimal(matched[2])
        except InvalidOperation:
            raise ValueError(f"{part!r} is no value") from None
        found += [_between(first, last, place, times) for place in range(times)]
    if not found:
        raise ValueError("a series needs a value")
    return tuple(found)


def _between(first: Decimal | None, last: Decimal | None, place: int, times: int) -> Decimal | None:
    if first is None or last is None:
        return None
    if times == 1 or first == last:
        return last
    exact = first + (last - first) * place / (times - 1)
    return exact.quantize(Decimal(1) if first == int(first) and last == int(last) else Decimal("0.01"))
