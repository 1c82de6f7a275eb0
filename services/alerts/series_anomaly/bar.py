"""Which of many deviations is worth an alarm."""

from __future__ import annotations


class Bar:
    """Lets a deviation pass that rises above its height, and then nothing for `silence` points, nor before the
    deviation has been below again.

    Each alarm raises it by a twentieth, and as much is lost over `rarity` points: so wherever a series has more such
    deviations than one in `rarity`, only the higher ones pass, be it as wild as it may (Robbins & Monro 1951: a
    quantile by small steps).
    """

    __slots__ = ("_fall", "_height", "_least", "_quiet", "_silence", "_told")

    rise = 0.05

    def __init__(self, start: float, least: float, silence: int, rarity: int) -> None:
        self._height = start
        self._least = least
        self._silence = silence
        self._fall = (1.0 + self.rise) ** (-1.0 / rarity)
        self._quiet = 0
        self._told = False

    def passes(self, deviation: float) -> bool:
        """Whether the next point's deviation is an alarm."""
        self._height = max(self._least, self._height * self._fall)
        quiet = self._quiet
        if quiet:
            self._quiet = quiet - 1
        if deviation <= self._height:
            self._told = False
            return False
        if quiet or self._told:
            return False
        self._told = True
        self._quiet = self._silence
        self._height *= 1.0 + self.rise
        return True
