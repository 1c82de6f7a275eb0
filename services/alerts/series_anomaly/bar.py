"""Which of many deviations is worth an alarm."""

from __future__ import annotations


class Bar:
    """Lets a deviation pass that is above `floor` and above half of what was seen of late, and then nothing for
    `silence` points: an alarm that is repeated says nothing new.

    What was seen of late is the highest deviation, forgotten over `memory` points: so a series that has just been as
    unusual as this, or more so, is let be, whatever the size of its outbreaks.
    """

    __slots__ = ("_floor", "_forget", "_height", "_quiet", "_silence")

    share = 0.5

    def __init__(self, floor: float, silence: int, memory: int) -> None:
        self._floor = floor
        self._silence = silence
        self._forget = 1.0 - 1.0 / memory
        self._height = floor
        self._quiet = 0

    def passes(self, deviation: float) -> bool:
        """Whether the next point's deviation is an alarm."""
        self._height = max(self._floor, self._height * self._forget)
        passed = deviation > self._height and self._quiet == 0
        if self._quiet:
            self._quiet -= 1
        if passed:
            self._quiet = self._silence
        self._height = max(self._height, self.share * deviation)
        return passed
