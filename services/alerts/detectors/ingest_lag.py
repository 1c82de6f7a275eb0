"""`ingest_lag`: the store falls behind Kafka, or ingest has stopped reporting."""

from __future__ import annotations

from pydantic import Field

from services.alerts.detectors.base import Parameters, PipelineDetector, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import PartitionProgress, PipelineScene


class IngestLagParameters(Parameters):
    """A partition lags by now minus its watermark."""

    max_seconds: float = Field(30, ge=5, description="lag that begins an alert")
    resolve_seconds: float = Field(15, ge=1, description="lag below which it ends")


class IngestLag(PipelineDetector[IngestLagParameters]):
    parameters_type = IngestLagParameters
    facts = frozenset({"seconds", "partition", "behind"})

    def judge(self, scene: PipelineScene) -> Verdicts:
        worst: dict[str, tuple[float, PartitionProgress]] = {}
        for part in scene.progress:
            # What ingest did not do before this service looked on is not known to be a fault: both may have been
            # stopped. It has as long to report as it may lag.
            lag = (scene.now - max(part.watermark, scene.watching_since)) / 1000
            if part.updated_at >= scene.watching_since:
                lag = (scene.now - part.watermark) / 1000
            if part.topic not in worst or lag > worst[part.topic][0]:
                worst[part.topic] = (lag, part)
        return [
            Verdict(
                Sighting.BREACH if lag > self.parameters.max_seconds else Sighting.HOLDS,
                value=round(lag, 1),
                threshold=self.parameters.max_seconds,
                labels={"topic": topic},
                onset=part.watermark,
                facts={
                    "seconds": round(lag),
                    "partition": part.partition,
                    "behind": max(0, part.end_offset - part.next_offset),
                },
                evidence={
                    "unit": "seconds",
                    "partition": part.partition,
                    "next_offset": part.next_offset,
                    "end_offset": part.end_offset,
                    "watermark": part.watermark // 1000,
                    "updated_at": part.updated_at // 1000,
                },
            )
            for topic, (lag, part) in worst.items()
            if lag > self.parameters.resolve_seconds
        ]
