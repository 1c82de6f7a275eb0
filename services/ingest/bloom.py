"""A Bloom filter of 64-bit words for hashes, tested and filled for whole arrays at a time.

Each hash sets four bits in each of three words that it chooses. At 32 bits of memory a hash, three in a million of the
hashes that were never added are found all the same; at 16 bits eight in 10,000; at 8 bits five in 100.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from services.ingest.ids import Hashes, Mask

Places = npt.NDArray[np.int64]

_BITS: Final = 4
_PATTERN_BITS: Final = 12
_LOW: Final = np.uint64((1 << _PATTERN_BITS) - 1)
_HALF: Final = np.uint64(32)
_REMIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio (Knuth's multiplicative hashing)."""


def _patterns() -> Hashes:
    rng = np.random.default_rng(1)
    patterns = np.zeros(1 << _PATTERN_BITS, np.uint64)
    for bits in rng.random((len(patterns), 64)).argsort(axis=1)[:, :_BITS].T:
        patterns |= np.uint64(1) << bits.astype(np.uint64)
    return patterns


_PATTERNS: Final = _patterns()
"""Words with four bits each."""


class Probe:
    """Where to look for some hashes, and for which bits; to be used with tables of any size."""

    def __init__(self, hashes: Hashes) -> None:
        second = hashes * _REMIX
        third = second * _REMIX
        self._spread = [each >> _HALF for each in (hashes, second, third)]
        # Bits that have little or no say in the places.
        bits = (hashes, hashes >> np.uint64(_PATTERN_BITS), second >> np.uint64(32 - _PATTERN_BITS))
        self.wanted = [_PATTERNS.take((each & _LOW).view(np.int64)) for each in bits]
        self._places: dict[int, list[Places]] = {}

    def where(self, mask: Mask) -> Probe:
        """The same for some of the hashes."""
        part = object.__new__(Probe)
        part._spread = [each[mask] for each in self._spread]
        part.wanted = [each[mask] for each in self.wanted]
        part._places = {words: [each[mask] for each in places] for words, places in self._places.items()}
        return part

    def places(self, words: int) -> list[Places]:
        """Index of each word that belongs to a hash in a table of so many; `wanted` are the bits in it."""
        found = self._places.get(words)
        if found is None:
            found = [(each * np.uint64(words) >> _HALF).view(np.int64) for each in self._spread]
            self._places[words] = found
        return found


class Bloom:
    """One table of fixed size. Its memory is touched only where hashes are added."""

    def __init__(self, size: int) -> None:
        """`size` in bytes, from 8 to 2^35."""
        self._words = np.zeros(size // 8, np.uint64)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._words.nbytes

    def contains(self, probe: Probe) -> Mask:
        """True for each hash that was added, and for a few that were not."""
        missing: Hashes | None = None
        for places, wanted in zip(probe.places(len(self._words)), probe.wanted, strict=True):
            lacks = self._words.take(places)
            np.invert(lacks, out=lacks)
            lacks &= wanted
            missing = lacks if missing is None else np.bitwise_or(missing, lacks, out=missing)
        assert missing is not None
        found: Mask = missing == 0
        return found

    def add(self, probe: Probe) -> None:
        """Adds every hash."""
        words = self._words
        for places, wanted in zip(probe.places(len(words)), probe.wanted, strict=True):
            # Of several that go into one word only the last is written: the others go again.
            while len(places):
                words[places] = words.take(places) | wanted
                lost = (words.take(places) & wanted) != wanted
                places, wanted = places[lost], wanted[lost]  # noqa: PLW2901  # what is left
