"""Columns of text, from where the texts lie."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.ingest.scan.compiled import compiled

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]

_MOST_LABELS: Final = 512
_SLOTS: Final = 2048


def texts(data: Bytes, starts: Places, lengths: Places, absent: str) -> pa.StringArray:
    """The column of the texts at `data[starts[i]:starts[i] + lengths[i]]`, `absent` in place of the empty ones."""
    offsets = np.empty(len(starts) + 1, np.int32)
    gathered = _gather(data, starts, lengths, _bytes(absent), offsets)
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(gathered))


def labels(data: Bytes, starts: Places, lengths: Places, absent: str) -> pa.DictionaryArray:
    """As `texts`, for a column of few values: each of them is held once."""
    codes = np.empty(len(starts), np.int32)
    firsts = np.empty(_MOST_LABELS, np.int32)
    found = _encode(data, starts, lengths, _bytes(absent), codes, firsts)
    if found < 0:
        return texts(data, starts, lengths, absent).dictionary_encode()
    values = [
        absent if row < 0 else data[starts[row] : starts[row] + lengths[row]].tobytes().decode()
        for row in firsts[:found].tolist()
    ]
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values, pa.string()))


def _bytes(text: str) -> Bytes:
    return np.frombuffer(text.encode(), np.uint8)


@compiled
def _gather(data: Any, starts: Any, lengths: Any, absent: Any, offsets: Any) -> Any:
    total = 0
    for i in range(len(starts)):
        offsets[i] = total
        total += lengths[i] if lengths[i] > 0 else len(absent)
    offsets[len(starts)] = total
    gathered = np.empty(total, np.uint8)
    for i in range(len(starts)):
        at, size = offsets[i], lengths[i]
        if size > 0:
            for j in range(size):
                gathered[at + j] = data[starts[i] + j]
        else:
            for j in range(len(absent)):
                gathered[at + j] = absent[j]
    return gathered


@compiled
def _encode(data: Any, starts: Any, lengths: Any, absent: Any, codes: Any, firsts: Any) -> int:
    """Numbers the distinct texts: `codes[i]` is that of row `i`, `firsts` the first row of each, -1 for `absent`.

    Returns how many there are, or -1 when they are too many.
    """
    slots = np.full(_SLOTS, -1, np.int32)
    count = 0
    no_text = -1
    for i in range(len(starts)):
        start, size = starts[i], lengths[i]
        if size <= 0 or (size == len(absent) and _same(data, start, absent, 0, size)):
            if no_text < 0:
                if count == len(firsts):
                    return -1
                no_text = count
                firsts[count] = -1
                count += 1
            codes[i] = no_text
            continue
        # Labels are few and mostly told by their length and three letters; those alike take the next slot.
        slot = (size * 7 + data[start] * 31 + data[start + (size >> 1)] * 131 + data[start + size - 1] * 523) & (
            _SLOTS - 1
        )
        while True:
            known = slots[slot]
            if known < 0:
                if count == len(firsts):
                    return -1
                slots[slot] = count
                firsts[count] = i
                codes[i] = count
                count += 1
                break
            other = firsts[known]
            if lengths[other] == size:
                there = starts[other]
                same = True
                for j in range(size):
                    if data[start + j] != data[there + j]:
                        same = False
                        break
                if same:
                    codes[i] = known
                    break
            slot = (slot + 1) & (_SLOTS - 1)
    return count


@compiled
def _same(one: Any, at: int, other: Any, there: int, size: int) -> bool:
    for j in range(size):  # noqa: SIM110  # compiled: a generator would not be
        if one[at + j] != other[there + j]:
            return False
    return True
