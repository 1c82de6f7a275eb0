"""JSON objects of known fields, read where they lie (RFC 8259; UTF-8 as in RFC 3629, section 4).

Positions are offsets into `data`. A function that reads a value returns the position after it, or `_NO` when the value
is not plain: malformed, or merely unusual.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from services.ingest.scan.compiled import compiled, inlined

TEXT: Final = 0
COUNT: Final = 1
"""What a field holds: a string, or a whole number."""

ABSENT: Final = -1

_OPEN: Final = ord("{")
_COMMA: Final = ord(",")
_CLOSE: Final = ord("}")
_SPACE: Final = ord(" ")
_NEWLINE: Final = ord("\n")
_RETURN: Final = ord("\r")
_TAB: Final = ord("\t")
_QUOTE: Final = ord('"')
_COLON: Final = ord(":")
_N: Final = ord("n")
_U: Final = ord("u")
_L: Final = ord("l")
_T: Final = ord("t")
_R: Final = ord("r")
_SMALL_E: Final = ord("e")
_F: Final = ord("f")
_A: Final = ord("a")
_S: Final = ord("s")
_BACKSLASH: Final = ord("\\")
_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_LARGE_E: Final = ord("E")
_MINUS: Final = ord("-")
_PLUS: Final = ord("+")
_NINE: Final = ord("9")
# Numba takes these for constants; `ord` it would call for every byte.

_ORDINARY: Final = np.array([0x20 <= byte < 0x80 and chr(byte) not in '"\\' for byte in range(256)])
"""The bytes that mean just themselves within a string."""

_NO: Final = -1
_LARGEST: Final = 2**53
_DIGITS: Final = 16

Array = Any
"""A NumPy array, whose type Numba learns at the first call."""


@compiled
def find_fields(  # noqa: PLR0912  # one function: each call costs, as every array travels as ten numbers
    data: Array,
    begins: Array,
    ends: Array,
    names: Array,
    name_at: Array,
    slots: Array,
    forms: Array,
    longest: Array,
    required: Array,
    starts: Array,
    lengths: Array,
    numbers: Array,
    plain: Array,
) -> None:
    """Finds the fields of records.

    Record `i` lies in `data[begins[i]:ends[i]]`. The name of field `f` is `names[name_at[f]:name_at[f + 1]]`, and
    `slots[name_slot(name)]` is `f`, no two names sharing a slot; its form is `forms[f]`, it has at most `longest[f]`
    bytes, and must not be missing or empty where `required[f]`.

    Fills for every record and field: `starts[f, i]` and `lengths[f, i]` of a text, `numbers[f, i]` with a count; and
    `plain[i]` with whether the record is surely right. What is missing or null is left as it was: `ABSENT` should stand
    in `lengths`, 0 in `numbers`.
    """
    count = len(forms)
    # Producers write an object's fields in one order, so the field that followed last time is tried first.
    follows = np.full(count + 1, count, np.int64)
    seen = np.zeros(count, np.int64)
    for i in range(len(begins)):
        end = ends[i]
        at = _spaces(data, begins[i], end)
        plain[i] = False
        if at >= end or data[at] != _OPEN:
            continue
        at = _spaces(data, at + 1, end)
        before = count
        more = True
        while more:
            if at >= end or data[at] != _QUOTE:
                break
            at += 1
            field = follows[before]
            found = False
            if field < count:
                first = name_at[field]
                size = name_at[field + 1] - first
                if at + size < end and data[at + size] == _QUOTE:
                    found = True
                    for j in range(size):
                        if data[at + j] != names[first + j]:
                            found = False
                            break
            if found:
                at += size
            else:
                stop = _text_end(data, at, end)
                if stop == _NO:
                    break
                field = _field_named(data, at, stop, names, name_at, slots)
                if field < count:
                    follows[before] = field
                at = stop
            at += 1
            if at < end and data[at] <= _SPACE:
                at = _spaces(data, at, end)
            if at >= end or data[at] != _COLON:
                break
            at += 1
            if at < end and data[at] <= _SPACE:
                at = _spaces(data, at, end)
            if at >= end:
                break
            if field == count:
                at = _unknown_value(data, at, end)
                if at == _NO:
                    break
            else:
                before = field
                if seen[field] == i + 1:
                    break
                seen[field] = i + 1
                start = data[at]
                if start == _QUOTE and forms[field] != COUNT:
                    at += 1
                    stop = _text_end(data, at, end)
                    if stop == _NO or stop - at > longest[field]:
                        break
                    starts[field, i] = at
                    lengths[field, i] = stop - at
                    at = stop + 1
                elif start == _N:
                    at = _word(data, at, end, _U, _L, _L)
                    if at == _NO:
                        break
                elif forms[field] == COUNT:
                    number, at = _count(data, at, end)
                    if at == _NO:
                        break
                    numbers[field, i] = number
                    lengths[field, i] = 0
                else:
                    break
            if at < end and data[at] <= _SPACE:
                at = _spaces(data, at, end)
            if at >= end:
                break
            if data[at] == _COMMA:
                at += 1
                if at < end and data[at] <= _SPACE:
                    at = _spaces(data, at, end)
            elif data[at] == _CLOSE and _spaces(data, at + 1, end) == end:
                more = False
            else:
                break
        if more:
            continue
        complete = True
        for f in range(count):
            if required[f] and lengths[f, i] <= 0:
                complete = False
        plain[i] = complete


@compiled
def _spaces(data: Array, at: int, end: int) -> int:
    while at < end and (data[at] == _SPACE or data[at] == _NEWLINE or data[at] == _RETURN or data[at] == _TAB):
        at += 1
    return at


@compiled
def name_slot(data: Array, at: int, stop: int, size: int) -> int:
    """Where among `size` slots, a power of two, the field of the name in `data[at:stop]` is noted."""
    code = stop - at
    for j in range(at, stop):
        code = code * 31 + data[j]
    return (code ^ (code >> 7)) & (size - 1)


@compiled
def _field_named(data: Array, at: int, stop: int, names: Array, name_at: Array, slots: Array) -> int:
    """The field whose name is `data[at:stop]`, or one beyond all."""
    field = int(slots[name_slot(data, at, stop, len(slots))])
    nobody = len(name_at) - 1
    if field == nobody or name_at[field + 1] - name_at[field] != stop - at:
        return nobody
    for j in range(stop - at):
        if data[at + j] != names[name_at[field] + j]:
            return nobody
    return field


@compiled
def _unknown_value(data: Array, at: int, end: int) -> int:
    """Passes over a value that means nothing here."""
    first = data[at]
    if first == _QUOTE:
        close = _text_end(data, at + 1, end)
        return _NO if close == _NO else close + 1
    if first == _N:
        return _word(data, at, end, _U, _L, _L)
    if first == _T:
        return _word(data, at, end, _R, _U, _SMALL_E)
    if first == _F and at + 1 < end and data[at + 1] == _A:
        return _word(data, at + 1, end, _L, _S, _SMALL_E)
    return _number_end(data, at, end)


@compiled
def _word(data: Array, at: int, end: int, second: int, third: int, fourth: int) -> int:
    if at + 4 <= end and data[at + 1] == second and data[at + 2] == third and data[at + 3] == fourth:
        return at + 4
    return _NO


@inlined
def _text_end(data: Array, at: int, end: int) -> int:
    """Where the quote stands that closes a string which begins at `at`."""
    while at < end:
        byte = data[at]
        if _ORDINARY[byte]:
            at += 1
            continue
        if byte == _QUOTE:
            return at
        if byte < 0x80:
            return _NO
        size = _sequence(data, at, end)
        if size == 0:
            return _NO
        at += size
    return _NO


@compiled
def _sequence(data: Array, at: int, end: int) -> int:
    """Bytes of the UTF-8 sequence at `at`, which is not ASCII; 0 when it is none."""
    first = data[at]
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 0xC2 or first > 0xF4 or at + size > end:
        return 0
    for j in range(1, size):
        if data[at + j] & 0xC0 != 0x80:
            return 0
    second = data[at + 1]
    # Longer than need be, a surrogate, or beyond the last code point.
    if (
        (first == 0xE0 and second < 0xA0)
        or (first == 0xED and second > 0x9F)
        or (first == 0xF0 and second < 0x90)
        or (first == 0xF4 and second > 0x8F)
    ):
        return 0
    return size


@compiled
def _count(data: Array, at: int, end: int) -> tuple[int, int]:
    """A whole number that is not negative and that every JSON implementation carries exactly."""
    stop = _digits_end(data, at, end)
    size = stop - at
    if size == 0 or size > _DIGITS or (size > 1 and data[at] == _ZERO):
        return 0, _NO
    if stop < end and (data[stop] == _POINT or data[stop] == _SMALL_E or data[stop] == _LARGE_E):
        return 0, _NO
    number = 0
    for j in range(at, stop):
        number = number * 10 + data[j] - _ZERO
    return (number, stop) if number <= _LARGEST else (0, _NO)


@compiled
def _number_end(data: Array, at: int, end: int) -> int:
    if at < end and data[at] == _MINUS:
        at += 1
    stop = _digits_end(data, at, end)
    if stop == at or (stop > at + 1 and data[at] == _ZERO):
        return _NO
    at = stop
    if at < end and data[at] == _POINT:
        stop = _digits_end(data, at + 1, end)
        if stop == at + 1:
            return _NO
        at = stop
    if at < end and (data[at] == _SMALL_E or data[at] == _LARGE_E):
        at += 1
        if at < end and (data[at] == _PLUS or data[at] == _MINUS):
            at += 1
        stop = _digits_end(data, at, end)
        if stop == at:
            return _NO
        at = stop
    return at


@compiled
def _digits_end(data: Array, at: int, end: int) -> int:
    while at < end and _ZERO <= data[at] <= _NINE:
        at += 1
    return at
