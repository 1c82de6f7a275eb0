"""`dead_letters`: a topic's records are being refused, and not just a few."""

from __future__ import annotations

from pydantic import Field

from services.alerts.detectors.base import Parameters, PipelineDetector, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import PipelineScene


class DeadLettersParameters(Parameters):
    """Both limits must be broken over the last minute."""

    min_records: int = Field(10, ge=1, description="refused records that are tolerated")
    share: float = Field(0.01, gt=0, lt=1, description="refused share of the topic's records that is tolerated")


class DeadLetters(PipelineDetector[DeadLettersParameters]):
    parameters_type = DeadLettersParameters
    facts = frozenset({"refused", "percent", "window_seconds"})

    def judge(self, scene: PipelineScene) -> Verdicts:
        if scene.consumed is None:
            return None
        verdicts = []
        for topic, refused in scene.refused.items():
            # What was refused was consumed; the two are not read at the same instant.
            consumed = max(scene.consumed.get(topic, 0), refused)
            if refused <= self.parameters.min_records or refused <= self.parameters.share * consumed:
                continue
            verdicts.append(
                Verdict(
                    Sighting.BREACH,
                    value=refused,
                    threshold=max(self.parameters.min_records, self.parameters.share * consumed),
                    labels={"topic": topic},
                    facts={
                        "refused": refused,
                        "percent": round(100 * refused / consumed, 1),
                        "window_seconds": scene.refused_seconds,
                    },
                    evidence={
                        "unit": "records",
                        "window_seconds": scene.refused_seconds,
                        "refused": refused,
                        "consumed": consumed,
                    },
                )
            )
        return verdicts
