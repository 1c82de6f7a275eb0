"""`traffic_drop`: a channel has lost most of its traffic while the campaign as a whole goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from services.alerts.baseline import Baseline, covered_seconds
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.levels import Levels, least_history
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene
from services.alerts.statistics import log_lower_tail


class TrafficDropParameters(Parameters):
    """`window_seconds` of traffic, ending where the data are complete, are held against the hour before."""

    window_seconds: int = Field(60, ge=20, le=120)
    ratio: float = Field(0.35, gt=0, lt=1, description="share of the normal rate that begins an alert")
    resolve_ratio: float = Field(0.6, gt=0, lt=1, description="share of the normal rate above which it ends")
    dead_ratio: float = Field(
        0.05, gt=0, lt=1, description="share of the level before below which a sale found it dead"
    )
    min_expected: float = Field(50, gt=0, description="events that the window should hold at the least")
    min_covered: float = Field(0.7, gt=0, le=1, description="share of the window that must hold data at all")
    max_chance: float = Field(1e-9, gt=0, lt=1, description="probability of so few events when all is normal")
    min_history_seconds: int = Field(600, ge=60, description="history that a channel must have")
    live_seconds: int = Field(20, ge=5, description="age of the campaign's newest event beyond which it is silence")


@dataclass(frozen=True, slots=True)
class _Loss:
    """So few events, where at least `level` would have been in order."""

    count: int
    level: Baseline
    breach: bool


class TrafficDrop(CampaignDetector[TrafficDropParameters]):
    parameters_type = TrafficDropParameters
    complete_within_ms = 10_000
    facts = frozenset({"percent", "rate", "normal_rate", "window_seconds"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        p = self.parameters
        if scene.writing_history or not scene.live(p.live_seconds * 1000):
            return None
        whole = scene.history.normal_whole
        if whole is None:
            return []
        # The newest second may be half there, and nothing beyond the watermark is known to be complete.
        edge = min(scene.watermark, scene.last_event) // 1000
        start = edge - p.window_seconds
        totals = scene.recent_all.between(start, edge)
        held = covered_seconds(totals, whole.rate)
        seconds = int(held.sum())
        if seconds < p.min_covered * p.window_seconds:
            return None
        levels = Levels(scene, start, edge)
        lost = []
        for channel, normal in levels.normal.items():
            if normal.seconds < least_history(p.min_history_seconds, levels.young):
                continue
            series = scene.recent.get(channel)
            window = series.between(start, edge) if series else np.zeros(len(totals), dtype=np.int64)
            loss = self._loss(int(window[held].sum()), seconds, channel, levels)
            if loss is not None:
                points = [[start + i, int(n)] for i, n in enumerate(window)]
                lost.append(self._verdict(channel, loss, seconds, points))
        # What has not come back does not end; whether it was meant to be gone is not known.
        lost += [
            Verdict(Sighting.HOLDS, 0.0, 0.0, {"channel": channel})
            for channel in levels.gone
            if not levels.count(channel)
        ]
        return lost

    def _loss(self, count: int, seconds: int, channel: str, levels: Levels) -> _Loss | None:
        """What the channel has lost against the lowest level that would have been in order; None for nothing."""
        p = self.parameters
        lowest: Baseline | None = None
        # A channel that is dead from the moment on at which all others rise has no level since then to be held against.
        dead = levels.young and count < p.dead_ratio * levels.normal[channel].rate * seconds and levels.risen(channel)
        for level in levels.explanations(channel, lately=not dead):
            if dead and lowest is not None:
                break
            if count >= p.resolve_ratio * level.rate * seconds:
                return None
            lowest = level if lowest is None or level.rate < lowest.rate else lowest
        if lowest is None or lowest.rate * seconds < p.min_expected:
            return None
        expected = lowest.rate * seconds
        improbable = log_lower_tail(count / lowest.dispersion, expected / lowest.dispersion) < math.log(p.max_chance)
        breach = count < p.ratio * expected and improbable and (dead or not levels.settling)
        return _Loss(count, lowest, breach)

    def _verdict(self, channel: str, loss: _Loss, seconds: int, points: list[list[int]]) -> Verdict:
        p, normal, count = self.parameters, loss.level, loss.count
        return Verdict(
            Sighting.BREACH if loss.breach else Sighting.HOLDS,
            value=round(count / seconds, 3),
            threshold=round(normal.rate * p.ratio, 3),
            labels={"channel": channel},
            facts={
                "percent": round(100 * count / (normal.rate * seconds)),
                "rate": round(count / seconds, 2),
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
                "points": points,
            },
        )
