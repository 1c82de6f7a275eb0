"""Is the newest point of a series unusual, by all that the series has been before?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.alerts.series_anomaly.bar import Bar
from services.alerts.series_anomaly.expectation import Expectation
from services.alerts.series_anomaly.moments import Moments

_ROUNDING = 1e-12
_LEARNING = 20
_LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Tuning:
    """`smoothing`, `silence` and `memory` are in points; `floor` is in standard deviations.

    `smoothing`: over how many points, about, a deviation must last to count in full.
    `floor`: below this nothing is an alarm.
    `silence`: after an alarm, no other for so long.
    `memory`: how long a high deviation makes a lesser one ordinary.
    """

    smoothing: int = 12
    floor: float = 3.0
    silence: int = 100
    memory: int = 300


class SeriesAnomaly:
    """Judges the points of one series in order. Its state is some six hundred numbers, whatever has been fed.

    Two averages over the last points are held against their own history: of the value, and of the value less what is
    expected at this time of day and week. The mean of the two deviations, each in standard deviations, is how unusual
    the series is; a bar decides whether that is news.
    """

    __slots__ = (
        "_away",
        "_away_moments",
        "_bar",
        "_count",
        "_expectation",
        "_largest",
        "_level",
        "_level_moments",
        "_share",
        "deviation",
        "expected",
    )

    def __init__(self, tuning: Tuning | None = None) -> None:
        tuning = tuning or Tuning()
        self._share = 1.0 / tuning.smoothing
        self._bar = Bar(tuning.floor, tuning.silence, tuning.memory)
        self._expectation = Expectation()
        self._count = 0
        self._largest = 0.0
        self._level = 0.0
        self._away = 0.0
        self._level_moments = Moments()
        self._away_moments = Moments()
        self.expected = math.nan
        """What the newest point was expected to be."""
        self.deviation = 0.0
        """How unusual the series is at the newest point, in standard deviations."""

    def step(self, moment: float, value: float) -> float:
        """How much of an alarm the next point is: 0 for none, else deviation / (1 + deviation), which is below 1.

        `moment` is in seconds since the epoch; the steps need not be even. A value that is not finite, or so large that
        its square would not be, is no point: it scores 0 and leaves everything as it was.
        """
        if not -_LARGEST < value < _LARGEST:
            return 0.0
        self.expected = self._expectation.step(moment, value)
        self._count += 1
        share = max(self._share, 1.0 / self._count)
        self._level += share * (value - self._level)
        self._away += share * (value - self.expected - self._away)
        self._largest = max(self._largest, abs(value))
        # What rounding leaves of a constant is no deviation.
        least = _ROUNDING * self._largest
        if self._count > _LEARNING:
            by_level = self._level_moments.deviation(self._level, least)
            by_season = self._away_moments.deviation(self._away, least)
            self.deviation = (by_level + by_season) / 2
        self._level_moments.add(self._level)
        self._away_moments.add(self._away)
        return self.deviation / (1.0 + self.deviation) if self._bar.passes(self.deviation) else 0.0
