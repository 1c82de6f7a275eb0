"""Series of a few weeks with one thing that happens in them, for the detector of one series."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

STEP = 300
DAY = 86_400 // STEP
LENGTH = 14 * DAY
ONSET = 10 * DAY + DAY // 2
START = 1_760_000_000

Curve = list[float]


def noise(seed: int, phi: float = 0.5, length: int = LENGTH) -> Curve:
    """Values around 100 with a standard deviation of 5, each like the one before by `phi`."""
    random_ = random.Random(seed)
    fresh = 5.0 * math.sqrt(1 - phi * phi)
    values, last = [], 0.0
    for _ in range(length):
        last = phi * last + random_.gauss(0.0, fresh)
        values.append(100.0 + last)
    return values


def days(seed: int, length: int = LENGTH) -> Curve:
    """Noise upon a day that rises and falls by 80."""
    return [value + 80.0 * math.sin(2 * math.pi * i / DAY) for i, value in enumerate(noise(seed, length=length))]


def busy_hours(seed: int, length: int = LENGTH) -> Curve:
    """Noise upon a day that is high from nine to six."""
    return [value + (200.0 if 9 <= i % DAY / 12 < 18 else 0.0) for i, value in enumerate(noise(seed, length=length))]


def counts(seed: int, length: int = LENGTH) -> Curve:
    """Counts around 40 by night and 160 by day."""
    random_ = random.Random(seed)
    curve = []
    for i in range(length):
        mean = 100.0 - 60.0 * math.cos(2 * math.pi * i / DAY)
        curve.append(float(max(0, round(random_.gauss(mean, math.sqrt(mean))))))
    return curve


def changed(curve: Curve, change: Callable[[float], float], points: int) -> Curve:
    """The curve with `change` made to so many points from the onset."""
    return [change(value) if ONSET <= i < ONSET + points else value for i, value in enumerate(curve)]


def replaced(curve: Curve, points: int, by: float) -> Curve:
    return changed(curve, lambda _: by, points)


def moments(length: int) -> list[float]:
    return [float(START - START % 86_400 + i * STEP) for i in range(length)]
