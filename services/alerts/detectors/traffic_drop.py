"""`traffic_drop`: a channel has lost most of its traffic while the campaign as a whole goes on."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from services.alerts.baseline import covered_seconds
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene
from services.alerts.statistics import log_lower_tail


class TrafficDropParameters(Parameters):
    """`window_seconds` of traffic, ending where the data are complete, are held against the hour before."""

    window_seconds: int = Field(60, ge=20, le=120)
    ratio: float = Field(0.35, gt=0, lt=1, description="share of the normal rate that begins an alert")
    resolve_ratio: float = Field(0.6, gt=0, lt=1, description="share of the normal rate above which it ends")
    min_expected: float = Field(50, gt=0, description="events that the window should hold at the least")
    min_covered: float = Field(0.7, gt=0, le=1, description="share of the window that must hold data at all")
    max_chance: float = Field(1e-9, gt=0, lt=1, description="probability of so few events when all is normal")
    min_history_seconds: int = Field(600, ge=60, description="history that a channel must have")
    live_seconds: int = Field(20, ge=5, description="age of the campaign's newest event beyond which it is silence")


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
        verdicts = []
        for channel, normal in scene.history.normal.items():
            if normal.seconds < p.min_history_seconds:
                continue
            expected = normal.rate * seconds
            if expected < p.min_expected:
                continue
            series = scene.recent.get(channel)
            window = series.between(start, edge) if series else np.zeros(len(totals), dtype=np.int64)
            count = int(window[held].sum())
            if count >= p.resolve_ratio * expected:
                continue
            improbable = log_lower_tail(count / normal.dispersion, expected / normal.dispersion) < math.log(
                p.max_chance
            )
            breach = count < p.ratio * expected and improbable
            verdicts.append(
                Verdict(
                    Sighting.BREACH if breach else Sighting.HOLDS,
                    value=round(count / seconds, 3),
                    threshold=round(normal.rate * p.ratio, 3),
                    labels={"channel": channel},
                    facts={
                        "percent": round(100 * count / expected),
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
                        "points": [[start + i, int(n)] for i, n in enumerate(window)],
                    },
                )
            )
        return verdicts
