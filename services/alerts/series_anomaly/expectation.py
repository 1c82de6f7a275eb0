"""What a series is expected to be at a moment: its mean, its usual day, its usual week, or between them."""

from __future__ import annotations

_DAY = 86_400
_WEEK = 7 * _DAY
_DAY_SLOTS = 96
_WEEK_SLOTS = 168
_NOTHING = 1e-12


class _Season:
    """A mean for each slot of a period; the newest lap counts a tenth at the least."""

    __slots__ = ("_laps", "_means", "_period", "_width", "error")

    least_share = 0.1

    def __init__(self, period: int, slots: int) -> None:
        self._period = period
        self._width = period / slots
        self._means = [0.0] * slots
        self._laps = [0] * slots
        self.error = _Error()

    def slot(self, moment: float) -> int:
        return int(moment % self._period / self._width)

    def expected(self, slot: int) -> float | None:
        return self._means[slot] if self._laps[slot] else None

    def add(self, slot: int, value: float) -> None:
        self._laps[slot] += 1
        self._means[slot] += (value - self._means[slot]) * max(1.0 / self._laps[slot], self.least_share)


class _Error:
    """The mean square by which something was wrong, over some five hundred points."""

    __slots__ = ("_count", "square")

    least_share = 0.002

    def __init__(self) -> None:
        self.square = 0.0
        self._count = 0

    def add(self, error: float) -> None:
        self._count += 1
        self.square += (error * error - self.square) * max(1.0 / self._count, self.least_share)


class Expectation:
    """The mean of all points, of the time of day (in slots of a quarter of an hour) and of the hour of the week,
    weighted by how well each has foretold the points so far: by the inverse square of its mean square error."""

    __slots__ = ("_count", "_day", "_error", "_mean", "_week")

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._error = _Error()
        self._day = _Season(_DAY, _DAY_SLOTS)
        self._week = _Season(_WEEK, _WEEK_SLOTS)

    def step(self, moment: float, value: float) -> float:
        """What was expected of `value`, at `moment` in seconds since the epoch, before it is learnt from."""
        slots = self._day.slot(moment), self._week.slot(moment)
        expected = self._expected_then_judged(slots, value)
        self._count += 1
        self._mean += (value - self._mean) / self._count
        self._day.add(slots[0], value)
        self._week.add(slots[1], value)
        return expected

    def _expected_then_judged(self, slots: tuple[int, int], value: float) -> float:
        mean = self._mean if self._count else value
        by_day = self._day.expected(slots[0])
        if by_day is None:
            return mean
        by_week = self._week.expected(slots[1])
        square = self._error.square
        total, weight = mean, 1.0
        floor = _NOTHING * square
        if square:
            share = (square / max(self._day.error.square, floor)) ** 2
            total, weight = total + share * by_day, weight + share
            if by_week is not None and self._week.error.square:
                share = (square / max(self._week.error.square, floor)) ** 2
                total, weight = total + share * by_week, weight + share
        self._error.add(value - mean)
        self._day.error.add(value - by_day)
        if by_week is not None:
            self._week.error.add(value - by_week)
        return total / weight
