"""How far a smoothed series is from what it has been."""

from __future__ import annotations

import math

_LEARNING = 20
_NOTHING = 1e-9


class History:
    """An exponential mean of the newest points, held against the mean and the standard deviation of all that it has
    been before, in one pass (Welford 1962). Outliers count in full: a series that often leaps is called unusual less
    easily."""

    __slots__ = ("_count", "_mean", "_share", "_smoothed", "_variance")

    def __init__(self, points: float) -> None:
        """`points` is what the exponential mean is over; 1 for no smoothing."""
        self._share = 1.0 / points
        self._smoothed = 0.0
        self._count = 0
        self._mean = 0.0
        self._variance = 0.0

    def step(self, value: float, least: float) -> float:
        """How many standard deviations the smoothed series is off with the next value: 0 at the beginning, and while
        it has varied by no more than `least`."""
        self._count = count = self._count + 1
        share = 1.0 / count
        smoothed = self._smoothed
        smoothed += (share if share > self._share else self._share) * (value - smoothed)
        self._smoothed = smoothed
        away = smoothed - self._mean
        variance = self._variance
        self._mean += share * away
        self._variance = variance + share * (away * (smoothed - self._mean) - variance)
        if count <= _LEARNING or variance <= least * least:
            return 0.0
        return abs(away) / math.sqrt(variance)


class Restlessness:
    """The same of how much the series moves from point to point: a wild one, and one that stands still."""

    __slots__ = ("_before", "_count", "_history", "_move", "_share", "_usual")

    # A thousandth of the usual movement is standing still: a logarithm needs an end.
    stillness = 1e-3

    def __init__(self, points: float) -> None:
        self._share = 1.0 / points
        self._before: float | None = None
        self._count = 0
        self._move = 0.0
        self._usual = 0.0
        self._history = History(1.0)

    def step(self, value: float, least: float) -> float:
        """How many standard deviations the logarithm of the smoothed movement is off, with the next value."""
        if self._before is None:
            self._before = value
            return 0.0
        move = abs(value - self._before)
        self._before = value
        self._count += 1
        share = 1.0 / self._count
        self._usual += share * (move - self._usual)
        self._move += (share if share > self._share else self._share) * (move - self._move)
        if self._usual <= least:
            return 0.0
        return self._history.step(math.log(self._move / self._usual + self.stillness), _NOTHING)
