"""Which of many deviations is worth an alarm."""

from __future__ import annotations


class Bar:
    """Lets a deviation pass that rises above its height. Then nothing passes for `silence` points, nor before the
    deviation has been below again, unless it is twice as high: what is small may not hide what is large.

    Each alarm raises it by a twentieth, and as much is lost over `rarity` points: so wherever a series has more such
    deviations than one in `rarity`, only the higher ones pass, be it as wild as it may (Robbins & Monro 1951: a
    quantile by small steps).
    """

    __slots__ = ("_fall", "_height", "_last", "_least", "_quiet", "_silence", "_told")

    rise = 0.05
    outdone = 2.0

    def __init__(self, start: float, least: float, silence: int, rarity: int) -> None:
        self._height = start
        self._least = least
        self._silence = silence
        self._fall = (1.0 + self.rise) ** (-1.0 / rarity)
        self._quiet = 0
        self._told = False
        self._last = 0.0

    def passes(self, deviation: float) -> bool:
        """Whether the next point's deviation is an alarm."""
        height = self._height * self._fall
        self._height = height = height if height > self._least else self._least
        quiet = self._quiet
        if quiet:
            self._quiet = quiet - 1
        if deviation <= height:
            self._told = False
            return False
        if (quiet or self._told) and deviation <= self.outdone * self._last:
            return False
        self._told = True
        self._last = deviation
        self._quiet = self._silence
        self._height *= 1.0 + self.rise
        return True
