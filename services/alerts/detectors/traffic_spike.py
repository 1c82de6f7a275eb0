"""`traffic_spike`: a channel has many times the traffic that is normal for it at this moment of the plan."""

from __future__ import annotations

import math

from pydantic import Field

from services.alerts.baseline import Baseline, change_point
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.levels import Levels, least_history
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
        looks = {span: Levels(scene, edge - span, edge) for span in sorted({p.quick_window_seconds, p.window_seconds})}
        longest = looks[max(looks)]
        verdicts = []
        for channel in scene.recent:
            normal = longest.normal.get(channel)
            if normal is None or normal.seconds < least_history(p.min_history_seconds, longest.young):
                continue
            breached = [span for span, levels in looks.items() if self._breach(channel, span, levels)]
            if not breached and not self._lasts(channel, max(looks), longest):
                continue
            span = breached[0] if breached else max(looks)
            verdicts.append(self._verdict(scene, channel, span, looks[span], bool(breached), edge))
        return verdicts

    def _breach(self, channel: str, seconds: int, levels: Levels) -> bool:
        p = self.parameters
        count = levels.count(channel)
        if count < p.min_events or levels.settling:
            return False
        return all(
            count >= p.ratio * level.rate * seconds and _improbable(count, seconds, level, p.max_chance)
            for level in levels.explanations(channel)
        )

    def _lasts(self, channel: str, seconds: int, levels: Levels) -> bool:
        """Whether what began has not gone back by half yet."""
        count = levels.count(channel)
        return all(
            count >= max(2, self.parameters.resolve_ratio * level.rate * seconds)
            for level in levels.explanations(channel, lately=False)
        )

    def _verdict(
        self, scene: CampaignScene, channel: str, span: int, levels: Levels, breach: bool, edge: int
    ) -> Verdict:
        # It is said against the highest level that would have been in order.
        normal = max(levels.explanations(channel), key=lambda level: level.rate)
        count = levels.count(channel)
        rate = count / span
        points = scene.recent[channel].between(edge - 30, edge)
        begun = edge - len(points)
        return Verdict(
            Sighting.BREACH if breach else Sighting.HOLDS,
            value=round(rate, 3),
            threshold=round(normal.rate * self.parameters.ratio, 3),
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
                "window_events": count,
                "points": [[begun + i, int(n)] for i, n in enumerate(points)],
            },
        )


def _improbable(count: int, seconds: int, level: Baseline, chance: float) -> bool:
    return log_upper_tail(count / level.dispersion, level.rate * seconds / level.dispersion) < math.log(chance)


def _edge(scene: CampaignScene) -> int:
    """The end of the window in seconds: where the data end, as long as they are of these moments."""
    now = scene.now // 1000
    newest = scene.last_event // 1000
    return min(now, newest + 1) if scene.live() else now
