"""`seasonal`: a metric jumps away from its own last hour: spikes and drops of traffic, payments or conversion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from schemas.metrics import METRICS, Unit, Value
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.levels import Moment
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, CurveReading
from services.alerts.scene import CampaignScene
from services.alerts.selection import Selection
from services.common.clock import MINUTE_MS

_HOUR = 60
_GUARD = 2
"""Minutes before the window that belong neither to it nor to what it is held against."""
_SETTLE = 3
"""Minutes after a change of the plan that are no measure."""

Minutes = npt.NDArray[np.float64]


class SeasonalParameters(Parameters):
    """Both must say so: the ratio to the usual level, and how far that is in standard deviations."""

    direction: Literal["up", "down", "both"] = "both"
    up: float = Field(3.0, gt=1, description="times the usual level above which it is a spike")
    down: float = Field(0.4, gt=0, lt=1, description="share of the usual level below which it is a drop")
    deviations: float = Field(5.0, gt=0, description="standard deviations of a window's mean")
    resolve_share: float = Field(0.5, gt=0, lt=1, description="share of the deviation within which it ends")
    min_minutes: int = Field(15, ge=5, le=50, description="minutes that the usual level must be learnt from")
    min_level: float = Field(0.0, ge=0, description="usual level below which nothing is judged")


class Seasonal(CampaignDetector[SeasonalParameters]):
    """The usual level is the median of the last hour's minutes, or of those since the plan changed: an incident of
    less than half of it does not count, and a rising evening moves it by less than the bounds. The spread is 1.4826
    times the median absolute deviation, and for counts at least that of a Poisson process.
    """

    parameters_type = SeasonalParameters
    takes_metric = True
    complete_within_ms = 10_000
    facts = frozenset({"metric", "window_minutes", "level", "percent", "direction", "direction_zh"})

    def __init__(self, parameters: SeasonalParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        assert selection is not None
        self._metric, self._by = selection.metric, selection.by
        self._window = max(1, selection.window_ms // MINUTE_MS)
        length = min(_HOUR, _HOUR - _GUARD + self._window) * MINUTE_MS
        self._curve = Curve((selection.metric,), MINUTE_MS, length, selection.by, selection.filters)

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        return (self._curve,)

    def judge(self, scene: CampaignScene) -> Verdicts:
        curve = scene.curves.get(self._curve)
        if curve is None or scene.writing_history or not scene.live():
            return None
        first = 0
        changed = Moment.of(scene.plan, scene.now // 1000).changed
        if changed is not None:
            first = max(0, -(-(changed * 1000 - curve.start_ms) // MINUTE_MS) + _SETTLE)
        verdicts = []
        for value, row in curve.rows.items():
            verdict = self._judge(value, row[self._metric], first, curve)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _judge(self, value: str, told: Sequence[Value], first: int, curve: CurveReading) -> Verdict | None:
        p = self.parameters
        series = np.array([math.nan if one is None else float(one) for one in told])
        # What was never there before has no usual level.
        seen = np.flatnonzero(np.nan_to_num(series))
        if not len(seen):
            return None
        first = max(first, int(seen[0]))
        window, past = series[-self._window :], series[first : -self._window - _GUARD]
        if len(past) < p.min_minutes or np.isnan(window).any() or np.isnan(past).sum() > len(past) // 3:
            return None
        level, spread = self._usual(past)
        if level <= 0 or level < p.min_level:
            return None
        mean = float(window.mean())
        away = (mean - level) / (spread / math.sqrt(self._window))
        if (p.direction == "up" and away < 0) or (p.direction == "down" and away > 0):
            return None
        ratio = mean / level
        far = ratio >= p.up if away > 0 else ratio <= p.down
        if far and abs(away) >= p.deviations:
            sighting = Sighting.BREACH
        elif abs(away) >= p.resolve_share * p.deviations and abs(ratio - 1) >= p.resolve_share * (
            p.up - 1 if away > 0 else 1 - p.down
        ):
            sighting = Sighting.HOLDS
        else:
            return None
        return Verdict(
            sighting,
            value=round(mean, 4),
            threshold=round(level * (p.up if away > 0 else p.down), 4),
            labels={} if self._by is None else {self._by: value},
            facts={
                "metric": self._metric,
                "window_minutes": self._window,
                "level": round(level, 2),
                "percent": round(100 * ratio),
                "direction": "up" if away > 0 else "down",
                "direction_zh": "上升" if away > 0 else "下降",
            },
            evidence={
                "unit": f"{self._metric} per minute",
                "reference": round(level, 4),
                "spread": round(spread, 4),
                "deviations": round(away, 2),
                "points": [
                    [(curve.start_ms + n * curve.step_ms) // 1000, round(float(one), 4)]
                    for n, one in enumerate(series)
                    if not math.isnan(one)
                ],
            },
        )

    def _usual(self, past: Minutes) -> tuple[float, float]:
        """The level of a minute, and the spread around it."""
        known = past[~np.isnan(past)]
        level = float(np.median(known))
        spread = 1.4826 * float(np.median(np.abs(known - level)))
        if METRICS[self._metric].unit is Unit.COUNT:
            spread = max(spread, math.sqrt(max(level, 1.0)))
        return level, max(spread, 0.02 * abs(level), 1e-9)
