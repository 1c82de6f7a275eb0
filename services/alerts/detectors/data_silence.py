"""`data_silence`: a campaign whose events used to come has none of any kind any more."""

from __future__ import annotations

import math

from pydantic import Field

from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene

_LIVE_SHARE = 0.2
"""For so much of the last minute events must have come as they happened: what an import brings of that comes within
seconds, from one topic after the other."""


class DataSilenceParameters(Parameters):
    """Silence is counted from the last arrival to the watermark: what Kafka still holds is not silence."""

    min_seconds: float = Field(12, ge=3, description="silence that begins an alert when events come every second")
    max_seconds: float = Field(600, ge=30, description="campaigns that need more than this are too sparse to judge")
    max_chance: float = Field(1e-7, gt=0, lt=1, description="probability of such a gap when all is normal")


class DataSilence(CampaignDetector[DataSilenceParameters]):
    parameters_type = DataSilenceParameters
    complete_within_ms = 10_000
    facts = frozenset({"seconds", "last_arrival"})

    def candidate(self, scene: CampaignScene) -> bool:
        """Whether the scene would be judged silent if the campaign had been live before: ask for `live_seconds`."""
        return scene.live_seconds is None and self._silent(scene) is not None

    def judge(self, scene: CampaignScene) -> Verdicts:
        found = self._silent(scene)
        if found is None:
            return []
        gap, threshold, share = found
        # An import that ends is not a silence: something must have come as it happened, for a while.
        was_live = scene.live_seconds is not None and scene.live_seconds >= max(5, _LIVE_SHARE * 60 * share)
        return [
            Verdict(
                Sighting.BREACH if was_live else Sighting.HOLDS,
                value=round(gap, 1),
                threshold=round(threshold, 1),
                onset=scene.last_arrival,
                facts={"seconds": round(gap), "last_arrival": scene.last_arrival},
                evidence={
                    "unit": "seconds without an event",
                    "last_arrival": scene.last_arrival // 1000,
                    "last_event": scene.last_event // 1000,
                    "occupied_seconds_share": round(share, 4),
                    "points": [
                        [scene.recent_all.start + i, int(n)]
                        for i, n in enumerate(scene.recent_all.counts)
                        if scene.recent_all.start + i >= scene.last_event // 1000 - 30
                    ],
                },
            )
        ]

    def _silent(self, scene: CampaignScene) -> tuple[float, float, float] | None:
        """The gap and its threshold in seconds, and the share of seconds that used to hold events."""
        p = self.parameters
        gap = (scene.watermark - scene.last_arrival) / 1000
        if gap < p.min_seconds:
            return None
        share = scene.history.occupancy
        if share is None:
            return None
        improbable = math.log(p.max_chance) / math.log1p(-min(share, 1 - 1e-9))
        threshold = max(p.min_seconds, improbable)
        if threshold > p.max_seconds or gap < threshold:
            return None
        return gap, threshold, share
