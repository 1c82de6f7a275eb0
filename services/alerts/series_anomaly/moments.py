"""Mean and variance of what has been seen."""

from __future__ import annotations

import math


class Moments:
    """Mean and variance over all values so far, in one pass (Welford 1962). Outliers count in full: a series that has
    them often is called unusual less easily."""

    __slots__ = ("_count", "_mean", "_variance")

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._variance = 0.0

    def deviation(self, value: float, least: float) -> float:
        """How many standard deviations `value` lies from the mean; 0 while the deviation is not above `least`."""
        if self._variance <= least * least:
            return 0.0
        return abs(value - self._mean) / math.sqrt(self._variance)

    def add(self, value: float) -> None:
        self._count += 1
        share = 1.0 / self._count
        away = value - self._mean
        self._mean += share * away
        self._variance += share * (away * (value - self._mean) - self._variance)
