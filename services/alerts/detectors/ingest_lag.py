"""`ingest_lag`: the store falls behind Kafka, or ingest has stopped reporting."""

from __future__ import annotations

from pydantic import Field

from services.alerts.detectors.base import Parameters, PipelineDetector, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import PartitionProgress, PipelineScene

_REPORTS_SECONDS = 10
"""Ingest reports about once a second."""


class IngestLagParameters(Parameters):
    """A partition lags by now minus its watermark."""

    max_seconds: float = Field(30, ge=5, description="lag that begins an alert")
    resolve_seconds: float = Field(15, ge=1, description="lag below which it ends")


class IngestLag(PipelineDetector[IngestLagParameters]):
    parameters_type = IngestLagParameters
    facts = frozenset({"seconds", "partition", "behind", "reason", "reason_zh"})

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
                    **_reason(part, scene.now),
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


def _reason(part: PartitionProgress, now: int) -> dict[str, str]:
    silent = (now - part.updated_at) // 1000
    # Ingest that does not report does not know either how much Kafka has taken since.
    if silent >= _REPORTS_SECONDS:
        return {"reason": f"ingest has not reported for {silent} s", "reason_zh": f"ingest 已 {silent} 秒没有上报进度"}
    behind = max(0, part.end_offset - part.next_offset)
    return {
        "reason": f"{behind} records wait in partition {part.partition}",
        "reason_zh": f"分区 {part.partition} 积压 {behind} 条",
    }
