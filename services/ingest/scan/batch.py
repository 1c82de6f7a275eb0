"""Records within a Kafka record batch of format 2, found where they lie.

https://kafka.apache.org/documentation/#recordbatch; variable-length integers are those of Protocol Buffers, zig-zag.
"""

from __future__ import annotations

from typing import Any, Final

from services.ingest.scan.compiled import compiled

HEADER: Final = 61
"""Bytes of a batch before its records."""

NULL: Final = -1

_NO: Final = -1
_MORE: Final = 0x80
_LOW: Final = 0x7F
_LONGEST: Final = 63


@compiled
def find_records(  # noqa: PLR0911  # compiled code says what is wrong without exceptions
    data: Any,
    starts: Any,
    bases: Any,
    counts: Any,
    offsets: Any,
    key_at: Any,
    key_end: Any,
    value_at: Any,
    value_end: Any,
) -> bool:
    """Finds the records of batches.

    The records of batch `b`, `counts[b]` of them, are `data[starts[b]:starts[b + 1]]`, and `bases[b]` is its first
    offset. Fills for all records, in order, their offsets and where keys and values begin and end; the end of what is
    null is `NULL`. False when the bytes are not such records and nothing else.
    """
    row = 0
    for b in range(len(counts)):
        at = starts[b]
        end = starts[b + 1]
        for _ in range(counts[b]):
            size, at = _number(data, at, end)
            stop = at + size
            if at == _NO or size < 1 or stop > end:
                return False
            # The first byte is of attributes that mean nothing, then comes a time that nobody asks for.
            _, at = _number(data, at + 1, stop)
            if at == _NO:
                return False
            delta, at = _number(data, at, stop)
            if at == _NO:
                return False
            offsets[row] = bases[b] + delta
            key_at[row], key_end[row], at = _bytes(data, at, stop)
            if at == _NO:
                return False
            value_at[row], value_end[row], at = _bytes(data, at, stop)
            if at == _NO:
                return False
            headers, at = _number(data, at, stop)
            if at == _NO or headers < 0 or headers > stop - at:
                return False
            for _ in range(2 * headers):
                _, _, at = _bytes(data, at, stop)
                if at == _NO:
                    return False
            if at != stop:
                return False
            row += 1
        if at != end:
            return False
    return True


@compiled
def _bytes(data: Any, at: int, end: int) -> tuple[int, int, int]:
    """Where bytes that follow their length begin and end, and the position after them."""
    size, at = _number(data, at, end)
    if at == _NO or size > end - at or size < NULL:
        return 0, 0, _NO
    if size == NULL:
        return at, NULL, at
    return at, at + size, at + size


@compiled
def _number(data: Any, at: int, end: int) -> tuple[int, int]:
    """A variable-length integer and the position after it."""
    value = 0
    shift = 0
    while at < end and shift <= _LONGEST:
        byte = int(data[at])
        at += 1
        value |= (byte & _LOW) << shift
        if byte < _MORE:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
    return 0, _NO
