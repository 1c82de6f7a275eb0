"""A Bloom filter of 64-bit words for hashes, compiled.

Each hash sets four bits in each of three words that it chooses. At 32 bits of memory a hash, four in a million of the
hashes that were never added are found all the same; at 24 bits four in 100,000; at 16 eight in 10,000; at 8 five in
100.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from services.ingest.ids import Hashes, Mask
from services.ingest.scan.compiled import compiled, inlined

_REMIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio (Knuth's multiplicative hashing)."""

_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
_BIT: Final = np.uint64(63)
_A, _B, _C, _D = np.uint64(8), np.uint64(14), np.uint64(20), np.uint64(26)


class Bloom:
    """One table of fixed size. Its memory is touched only where hashes are added."""

    def __init__(self, size: int) -> None:
        """`size` in bytes, from 8 to 2^35."""
        self._words = np.zeros(size // 8, np.uint64)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._words.nbytes

    def look(self, hashes: Hashes, found: Mask) -> None:
        """Sets `found` where a hash was added before, and for a few that were not."""
        _look(self._words, hashes, found)

    def add(self, hashes: Hashes, found: Mask) -> int:
        """Adds each hash that is not `found`, one after the other; returns how many were.

        Sets `found` where a hash was there before it was its turn, and for a few that were not.
        """
        return _add(self._words, hashes, found)


def prepare() -> None:
    """Compiles what has not been compiled before."""
    hashes, found = np.zeros(1, np.uint64), np.zeros(1, np.bool_)
    table = Bloom(8)
    table.look(hashes, found)
    table.add(hashes, found)


@inlined
def _bits(hash_: Any) -> Any:
    return (
        _ONE << (hash_ >> _A & _BIT)
        | _ONE << (hash_ >> _B & _BIT)
        | _ONE << (hash_ >> _C & _BIT)
        | _ONE << (hash_ >> _D & _BIT)
    )


@compiled
def _look(words: Any, hashes: Any, found: Any) -> None:
    size = np.uint64(len(words))
    for i in range(len(hashes)):
        if found[i]:
            continue
        hash_ = hashes[i]
        there = True
        for _ in range(3):
            bits = _bits(hash_)
            if words[(hash_ >> _HALF) * size >> _HALF] & bits != bits:
                there = False
                break
            hash_ = hash_ * _REMIX
        found[i] = there


@compiled
def _add(words: Any, hashes: Any, found: Any) -> int:
    size = np.uint64(len(words))
    added = 0
    for i in range(len(hashes)):
        if found[i]:
            continue
        hash_ = hashes[i]
        missing = np.uint64(0)
        for _ in range(3):
            bits, place = _bits(hash_), (hash_ >> _HALF) * size >> _HALF
            held = words[place]
            missing |= bits & ~held
            words[place] = held | bits
            hash_ = hash_ * _REMIX
        if missing == 0:
            found[i] = True
        else:
            added += 1
    return added
