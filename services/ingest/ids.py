"""Hashes of event ids, for whole Arrow arrays at a time.

A word of eight bytes after the other is multiplied into the hash by a random odd number of its own. The numbers are
drawn anew by each process, so nobody outside can choose ids whose hashes are equal.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_WORD: Final = 8
_HALF: Final = np.uint64(32)
_WORDS: Final = 33
"""An event id has 64 characters at most, which is 256 bytes of UTF-8; one number more is for its length."""

_FIRST_BYTES: Final = np.array([(1 << 8 * count) - 1 for count in range(_WORD + 1)], np.uint64)


class IdHash:
    """A hash function for ids of at most 256 bytes; each instance is another one."""

    def __init__(self, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._factors = np.array([random_bits(64) | 1 for _ in range(_WORDS)], np.uint64)

    def __call__(self, ids: pa.StringArray) -> Hashes:
        """One hash an id, in order."""
        count = len(ids)
        if not count:
            return np.empty(0, np.uint64)
        _, offsets, data = ids.buffers()
        ends = np.frombuffer(offsets, np.int32, count + 1, ids.offset * 4)
        base, size = int(ends[0]), int(ends[-1] - ends[0])
        # With room to read a whole word at the last byte.
        text = np.zeros(size + _WORD, np.uint8)
        if size:
            text[:size] = np.frombuffer(data, np.uint8, size, base)
        lengths = np.diff(ends)
        longest = int(lengths.max())
        if int(lengths.min()) == longest:
            return self._of_one_length(text, count, longest)
        return self._of_any_length(text, ends[:-1] - base, lengths, longest)

    def _of_one_length(self, text: npt.NDArray[np.uint8], count: int, length: int) -> Hashes:
        hashes = self._begin(np.full(count, length, np.uint64))
        for at in range(0, length, _WORD):
            words: Hashes = np.ndarray((count,), "<u8", text, at, (length,))
            hashes = self._mixed(hashes, words & _FIRST_BYTES[min(_WORD, length - at)], at)
        return hashes

    def _of_any_length(
        self, text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32], longest: int
    ) -> Hashes:
        everywhere: Hashes = np.ndarray((len(text) - _WORD + 1,), "<u8", text, 0, (1,))
        hashes = self._begin(lengths.astype(np.uint64))
        shortest = int(lengths.min())
        for at in range(0, longest, _WORD):
            if at < shortest:
                words = everywhere[starts + at] & _FIRST_BYTES[np.minimum(lengths - at, _WORD)]
                hashes = self._mixed(hashes, words, at)
            else:
                rows = np.flatnonzero(lengths > at)
                words = everywhere[starts[rows] + at] & _FIRST_BYTES[np.minimum(lengths[rows] - at, _WORD)]
                hashes[rows] = self._mixed(hashes[rows], words, at)
        return hashes

    def _begin(self, lengths: Hashes) -> Hashes:
        lengths *= self._factors[-1]
        return lengths

    def _mixed(self, hashes: Hashes, words: Hashes, at: int) -> Hashes:
        words ^= hashes
        words *= self._factors[at // _WORD]
        words ^= words >> _HALF
        return words
