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
    """`window_seconds` of traffic are held against the hour before."""

    window_seconds: int = Field(15, ge=5, le=60)
    ratio: float = Field(4.0, gt=1, description="times the normal rate that begin an alert")
    resolve_ratio: float = Field(2.0, gt=1, description="times the normal rate below which it ends")
    min_events: int = Field(15, ge=1, description="events in the window below which nothing is a spike")
    max_chance: float = Field(1e-8, gt=0, lt=1, description="probability of so many events when all is normal")
    min_history_seconds: int = Field(600, ge=60, description="history that a channel must have")


class TrafficSpike(CampaignDetector[TrafficSpikeParameters]):
    parameters_type = TrafficSpikeParameters
    facts = frozenset({"ratio", "rate", "normal_rate", "window_seconds"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        if scene.writing_history:
            return None
        p = self.parameters
        verdicts = []
        edge = _edge(scene)
        for channel, series in scene.recent.items():
            window = series.between(edge - p.window_seconds, edge)
            count = int(window.sum())
            normal = scene.history.normal.get(channel)
            if count < p.min_events or normal is None or normal.seconds < p.min_history_seconds:
                continue
            sighting = self._weigh(count, normal)
            if sighting is Sighting.CLEAR:
                continue
            expected = normal.rate * p.window_seconds
            points = series.between(edge - 2 * p.window_seconds, edge)
            begun = edge - len(points)
            verdicts.append(
                Verdict(
                    sighting,
                    value=round(count / p.window_seconds, 3),
                    threshold=round(normal.rate * p.ratio, 3),
                    labels={"channel": channel},
                    onset=(begun + change_point(points, normal.rate)) * 1000,
                    facts={
                        "ratio": round(count / expected, 1),
                        "rate": round(count / p.window_seconds, 1),
                        "normal_rate": round(normal.rate, 2),
                        "window_seconds": p.window_seconds,
                    },
                    evidence={
                        "unit": "events per second",
                        "normal_rate": round(normal.rate, 4),
                        "dispersion": round(normal.dispersion, 2),
                        "history_seconds": normal.seconds,
                        "window_seconds": p.window_seconds,
                        "window_events": count,
                        "points": [[begun + i, int(n)] for i, n in enumerate(points)],
                    },
                )
            )
        return verdicts

    def _weigh(self, count: int, normal: Baseline) -> Sighting:
        p = self.parameters
        expected = normal.rate * p.window_seconds
        if count >= p.ratio * expected:
            tail = log_upper_tail(count / normal.dispersion, expected / normal.dispersion)
            if tail < math.log(p.max_chance):
                return Sighting.BREACH
        return Sighting.HOLDS if count >= p.resolve_ratio * expected else Sighting.CLEAR


def _edge(scene: CampaignScene) -> int:
    """The end of the window in seconds: where the data end, as long as they are of these moments."""
    now = scene.now // 1000
    newest = scene.last_event // 1000
    return min(now, newest + 1) if scene.live() else now
