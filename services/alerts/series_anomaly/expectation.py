"""What a series is expected to be at a moment: its mean, its usual day, its usual week, or between them."""

from __future__ import annotations

_DAY = 86_400
_WEEK = 7 * _DAY
_DAY_SLOTS = 96
_WEEK_SLOTS = 168
_LAPS = 10
_ERRORS = 500
_NOTHING = 1e-12


class _Season:
    """A mean for each slot of a period, over some ten laps. `square` is the mean square by which they were wrong, over
    some five hundred points."""

    __slots__ = ("_errors", "_laps", "_means", "_period", "_width", "square")

    def __init__(self, period: int, slots: int) -> None:
        self._period = period
        self._width = period // slots
        self._means = [0.0] * slots
        self._laps = [0] * slots
        self._errors = 0
        self.square = 0.0

    def step(self, moment: float, value: float) -> float | None:
        """What the slot was before it learnt from `value`; None for a slot that has seen nothing."""
        slot = int(moment) % self._period // self._width
        laps = self._laps[slot]
        mean = self._means[slot]
        away = value - mean
        self._laps[slot] = laps + 1
        self._means[slot] = mean + away / (laps + 1 if laps < _LAPS else _LAPS)
        if not laps:
            return None
        self._errors += 1
        self.square += (away * away - self.square) / (self._errors if self._errors < _ERRORS else _ERRORS)
        return mean


class Expectation:
    """The mean of all points, of the time of day (in slots of a quarter of an hour) and of the hour of the week,
    weighted by how well each has foretold the points so far: by the inverse square of its mean square error."""

    __slots__ = ("_count", "_day", "_errors", "_mean", "_square", "_week")

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._errors = 0
        self._square = 0.0
        self._day = _Season(_DAY, _DAY_SLOTS)
        self._week = _Season(_WEEK, _WEEK_SLOTS)

    def step(self, moment: float, value: float) -> float:
        """What was expected of `value`, at `moment` in seconds since the epoch, before it is learnt from."""
        day, week = self._day, self._week
        square, day_square, week_square = self._square, day.square, week.square
        by_day, by_week = day.step(moment, value), week.step(moment, value)
        self._count += 1
        mean = self._mean if self._count > 1 else value
        away = value - mean
        self._mean = mean + away / self._count
        if by_day is None:
            return mean
        # The errors are compared over the same points, those for which the time of day says something.
        self._errors += 1
        self._square = square + (away * away - square) / (self._errors if self._errors < _ERRORS else _ERRORS)
        if not square:
            return mean
        floor = _NOTHING * square
        ratio = square / max(day_square, floor)
        share = ratio * ratio
        total, weight = mean + share * by_day, 1.0 + share
        if by_week is not None and week_square:
            ratio = square / max(week_square, floor)
            share = ratio * ratio
            total, weight = total + share * by_week, weight + share
        return total / weight
