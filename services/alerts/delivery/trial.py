"""Tells receivers something, to see whether they listen."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.delivery.receiver import Receiver, load_receivers
from services.alerts.delivery.sinks.base import Attempt
from services.alerts.lifecycle import Life, State
from services.common.clock import wall_clock
from services.common.settings import Settings


async def told(receiver: Receiver) -> AsyncIterator[tuple[str, Attempt]]:
    """Sends a test alert and then its end: each notice with what came of it. Ends at the first that is not taken."""
    try:
        for kind in ("firing", "resolved"):
            now = wall_clock()
            message = receiver.sink.render([_notice(kind, now)], receiver.context(now))
            attempt = await receiver.sink.send(message, now)
            yield kind, attempt
            if not attempt.delivered:
                return
    finally:
        await receiver.sink.close()


@dataclass(frozen=True, slots=True)
class TriedReceiver:
    """A receiver as `warroom doctor` knows it."""

    receiver: Receiver

    @property
    def name(self) -> str:
        """As the file names it."""
        return self.receiver.name

    @property
    def addresses(self) -> Sequence[str]:
        """Where it is reached."""
        return [part for part in self.receiver.sink.account if "://" in part]


class TriedReceivers:
    """The receivers of the settings, for `warroom doctor`."""

    def load(self, settings: Settings) -> list[TriedReceiver]:
        """All of them. Raises `ConfigurationError`."""
        return [TriedReceiver(receiver) for receiver in load_receivers(settings, os.environ)]

    async def tell(self, tried: TriedReceiver) -> str | None:
        """Why a test alert or its end was not taken; None when both were."""
        trouble = None
        async for kind, attempt in told(tried.receiver):
            if not attempt.delivered:
                trouble = f"{kind}: {attempt.detail}"
        return trouble


def _notice(kind: str, now: int) -> Transition:
    labels = {"campaign_id": "warroom-test"}
    fingerprint = fingerprint_of("receiver_test", labels)
    # Both notices are of one incident, which began at the start of the minute.
    began = now - now % 60_000
    over = kind == "resolved"
    alert = Alert(
        id=alert_id(began, fingerprint),
        rule="receiver_test",
        severity="info",
        campaign_id=labels["campaign_id"],
        labels=labels,
        fingerprint=fingerprint,
        life=Life(State.RESOLVED if over else State.FIRING, began, fired_at=began, ends_at=now if over else None),
        value=0,
        threshold=0,
        summary="A test of this receiver: nothing is wrong",
        runbook="Nothing is to be done.",
        starts_at=began,
        complete_until=now,
        annotations={"summary_zh": "接收方测试：一切正常", "runbook_zh": "无需处理。"},
    )
    return Transition(alert, now, notice=kind)
