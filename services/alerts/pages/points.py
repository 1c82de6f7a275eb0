"""The points of an alert's evidence, and how they look in a line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Points = Sequence[tuple[int, float]]
"""(seconds since the epoch, value), in order."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_LATEST = 2**33
_LARGEST = 1e15
_REFERENCES = ("normal_rate", "expected_rate", "reference")


def points_of(evidence: Mapping[str, Any]) -> Points:
    """The curve in an alert's evidence; empty where it has none. Seconds without a point between others are zero."""
    told = evidence.get("points")
    if not isinstance(told, list):
        return []
    found: dict[int, float] = {}
    for point in told:
        match point:
            case [int(at), int(value) | float(value)] if 0 <= at < _LATEST and abs(value) < _LARGEST:
                found[at] = found.get(at, 0) + value
    if not found:
        return []
    moments = sorted(found)
    gaps = [after - before for before, after in pairwise(moments)]
    step = min(gaps, default=1)
    # Evidence by the second leaves empty seconds out.
    if step == 1 and moments[-1] - moments[0] < 3600:
        return [(at, found.get(at, 0.0)) for at in range(moments[0], moments[-1] + 1)]
    return [(at, found[at]) for at in moments]


def reference_of(evidence: Mapping[str, Any]) -> float | None:
    """What is normal for the points, in their unit, where the evidence says it."""
    for name in _REFERENCES:
        value = evidence.get(name)
        if isinstance(value, int | float) and abs(value) < _LARGEST:
            return float(value)
    return None


def sparkline(points: Points, width: int = 32) -> str:
    """The points in block characters, from zero to their highest; of several in one column the highest is shown."""
    if not points:
        return ""
    values = [max(0.0, value) for _, value in points]
    columns = min(width, len(values))
    edges = [len(values) * column // columns for column in range(columns + 1)]
    heights = [max(values[a:b]) for a, b in pairwise(edges)]
    top = max(heights)
    if top <= 0:
        return _BLOCKS[0] * columns
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int(height / top * len(_BLOCKS)))] for height in heights)
