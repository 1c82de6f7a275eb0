"""Is the newest point of a series unusual, by all that the series has been before?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.alerts.series_anomaly.bar import Bar
from services.alerts.series_anomaly.expectation import Expectation
from services.alerts.series_anomaly.history import History, Restlessness

_ROUNDING = 1e-12
_LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Tuning:
    """`short`, `long`, `silence` and `rarity` are in points, `start` and `least` in standard deviations.

    `short`, `long`: over how many points a deviation is averaged.
    `restlessness`: what a deviation of the movement from point to point counts, against one of the value.
    `start`: above what a deviation is an alarm at first.
    `least`: below what none ever is. A rule that pages raises both.
    `silence`: after an alarm, no other for so long.
    `rarity`: the bar settles where alarms come about once in so many points.
    """

    short: int = 5
    long: int = 20
    restlessness: float = 0.7
    start: float = 2.7
    least: float = 2.0
    silence: int = 100
    rarity: int = 2500


class SeriesAnomaly:
    """Judges the points of one series in order. Its state is some six hundred numbers, whatever has been fed.

    The value less what is expected at this time of day and week is averaged over few and over some more points, and
    held against its own history; the mean of the two deviations, or that of the movement from point to point where it
    is greater, is how unusual the series is. A bar decides whether that is news.
    """

    __slots__ = (
        "_bar",
        "_expectation",
        "_largest",
        "_long",
        "_movement",
        "_restlessness",
        "_short",
        "deviation",
        "expected",
    )

    def __init__(self, tuning: Tuning | None = None) -> None:
        tuning = tuning or Tuning()
        self._expectation = Expectation()
        self._short = History(tuning.short)
        self._long = History(tuning.long)
        self._movement = Restlessness(tuning.long)
        self._restlessness = tuning.restlessness
        self._bar = Bar(tuning.start, tuning.least, tuning.silence, tuning.rarity)
        self._largest = 0.0
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
        self._largest = max(self._largest, abs(value))
        # What rounding leaves of a constant is no deviation.
        least = _ROUNDING * self._largest
        away = value - self.expected
        surprise = (self._short.step(away, least) + self._long.step(away, least)) / 2
        movement = self._movement.step(value, least)
        self.deviation = max(surprise, self._restlessness * movement)
        return self.deviation / (1.0 + self.deviation) if self._bar.passes(self.deviation) else 0.0
