"""`traffic_spike`: a channel has many times the traffic that is normal for it."""

from __future__ import annotations

import math

from pydantic import Field

from services.alerts.baseline import Baseline, change_point
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene
from services.alerts.statistics import log_upper_tail


class TrafficSpikeParameters(Parameters):
    """Two windows are held against the hour before: a quick one, and one long enough for channels with few events."""

    quick_window_seconds: int = Field(10, ge=3, le=60)
    window_seconds: int = Field(20, ge=5, le=60)
    ratio: float = Field(4.0, gt=1, description="times the normal rate, in either window, that begin an alert")
    resolve_ratio: float = Field(2.0, gt=1, description="times the normal rate, in the longer one, below which it ends")
    min_events: int = Field(12, ge=1, description="events in a window below which nothing is a spike")
    max_chance: float = Field(1e-7, gt=0, lt=1, description="probability of so many events when all is normal")
    min_history_seconds: int = Field(600, ge=60, description="history that a channel must have")


class TrafficSpike(CampaignDetector[TrafficSpikeParameters]):
    parameters_type = TrafficSpikeParameters
    facts = frozenset({"ratio", "rate", "normal_rate", "window_seconds"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        if scene.writing_history:
            return None
        p = self.parameters
        edge = _edge(scene)
        verdicts = []
        for channel, series in scene.recent.items():
            normal = scene.history.normal.get(channel)
            if normal is None or normal.seconds < p.min_history_seconds:
                continue
            spans = sorted({p.quick_window_seconds, p.window_seconds})
            counts = {span: int(series.between(edge - span, edge).sum()) for span in spans}
            breached = [span for span in spans if self._breach(counts[span], span, normal)]
            if not breached and counts[spans[-1]] < max(2, p.resolve_ratio * normal.rate * spans[-1]):
                continue
            span = breached[0] if breached else spans[-1]
            rate = counts[span] / span
            points = series.between(edge - 30, edge)
            begun = edge - len(points)
            verdicts.append(
                Verdict(
                    Sighting.BREACH if breached else Sighting.HOLDS,
                    value=round(rate, 3),
                    threshold=round(normal.rate * p.ratio, 3),
                    labels={"channel": channel},
                    onset=(begun + change_point(points, normal.rate)) * 1000,
                    facts={
                        "ratio": round(rate / normal.rate, 1),
                        "rate": round(rate, 1),
                        "normal_rate": round(normal.rate, 2),
                        "window_seconds": span,
                    },
                    evidence={
                        "unit": "events per second",
                        "normal_rate": round(normal.rate, 4),
                        "dispersion": round(normal.dispersion, 2),
                        "history_seconds": normal.seconds,
                        "window_seconds": span,
                        "window_events": counts[span],
                        "points": [[begun + i, int(n)] for i, n in enumerate(points)],
                    },
                )
            )
        return verdicts

    def _breach(self, count: int, seconds: int, normal: Baseline) -> bool:
        p = self.parameters
        expected = normal.rate * seconds
        if count < p.min_events or count < p.ratio * expected:
            return False
        return log_upper_tail(count / normal.dispersion, expected / normal.dispersion) < math.log(p.max_chance)


def _edge(scene: CampaignScene) -> int:
    """The end of the window in seconds: where the data end, as long as they are of these moments."""
    now = scene.now // 1000
    newest = scene.last_event // 1000
    return min(now, newest + 1) if scene.live() else now
