"""`delivery_failure`: a receiver of alerts cannot be told. The page about it goes to the others."""

from __future__ import annotations

from pydantic import Field

from services.alerts.delivery.health import ReceiverState
from services.alerts.detectors.base import Parameters, PipelineDetector, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import PipelineScene


class DeliveryFailureParameters(Parameters):
    """A notice that was given up counts at once."""

    seconds: float = Field(60, ge=0, description="time without success, since the first failure, that is tolerated")


class DeliveryFailure(PipelineDetector[DeliveryFailureParameters]):
    """A receiver is well again when it has taken a message, and not before: after a restart it has still to do so."""

    parameters_type = DeliveryFailureParameters
    facts = frozenset({"receiver", "type", "seconds", "lost", "waiting"})

    def judge(self, scene: PipelineScene) -> Verdicts:
        return [verdict for state in scene.deliveries if (verdict := self._judge(state, scene.now)) is not None]

    def _judge(self, state: ReceiverState, now: int) -> Verdict | None:
        health = state.health
        if health.tried and health.failing_since is None:
            return None
        since = now if health.failing_since is None else health.failing_since
        seconds = max(0, now - since) / 1000
        failed = health.lost > 0 or (health.failing_since is not None and seconds >= self.parameters.seconds)
        return Verdict(
            Sighting.BREACH if failed else Sighting.HOLDS,
            value=seconds,
            threshold=self.parameters.seconds,
            labels={"receiver": state.name},
            onset=health.failing_since,
            facts={
                "receiver": state.name,
                "type": state.kind,
                "seconds": round(seconds),
                "lost": health.lost,
                "waiting": state.waiting,
            },
            evidence={
                "unit": "seconds without success",
                "type": state.kind,
                "last_answer": health.detail,
                "notices_lost": health.lost,
                "notices_waiting": state.waiting,
            },
        )
