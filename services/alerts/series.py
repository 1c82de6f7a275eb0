"""Counts over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Series:
    """Counts by bucket: bucket i is [start + i * step, start + (i + 1) * step), in seconds since the epoch."""

    start: int
    step: int
    counts: Counts

    @property
    def end(self) -> int:
        return self.start + self.step * len(self.counts)

    def between(self, start: int, end: int) -> Counts:
        """The counts of the whole buckets within [start, end); what lies outside the series is left out."""
        first = max(0, -(-(start - self.start) // self.step))
        last = max(first, min(len(self.counts), (end - self.start) // self.step))
        return self.counts[first:last]


def zeros(start: int, step: int, length: int) -> Series:
    """`length` buckets of nothing."""
    return Series(start, step, np.zeros(length, dtype=np.int64))
