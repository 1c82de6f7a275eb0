"""Delivers notices to every receiver that is to be told, each by a worker of its own, so that none holds up another.

The outbox is the store itself: a notice without a delivery row is still to be delivered, so a process that dies
leaves nothing behind that the next one does not find. A process that dies between the receiver's answer and the
row sends that one notice again: the same fingerprint, status and startsAt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Budget
from services.alerts.delivery.health import Health, ReceiverState
from services.alerts.delivery.looks import Looks
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.routing import after_escalation, route
from services.alerts.delivery.worker import Standing, Timing, Wanted, Worker, monotonic_ms
from services.alerts.ledger import Ledger
from services.common import prometheus


class Outbox:
    """The workers, and who is told of what. `put` never blocks."""

    def __init__(
        self, ledger: Ledger, receivers: Sequence[Receiver], timing: Timing, standing: Standing = tuple
    ) -> None:
        self._receivers = list(receivers)
        self._looks = Looks()
        # Several receivers may be one robot, with other alerts and other people to call: it has one limit.
        budgets: dict[tuple[str, ...], Budget] = {}
        now = monotonic_ms()
        self._workers = [
            Worker(
                receiver,
                ledger,
                timing,
                budgets.setdefault(receiver.sink.account, Budget(receiver.sink.limit, now)),
                self._wanted_by(receiver),
                standing,
                self._looks,
            )
            for receiver in self._receivers
        ]

    async def load(self) -> None:
        """Takes up what an earlier process left undelivered. Raises `StoreError`."""
        for worker in self._workers:
            await worker.load()

    def drop(self) -> None:
        """Forgets what waits: it is another instance's turn to deliver it."""
        for worker in self._workers:
            worker.drop()

    def stand_by(self) -> None:
        """Forgets what waits and how receivers are doing: another instance delivers, and it knows."""
        self.drop()
        for worker in self._workers:
            worker.health = Health()
        self.states()

    def put(self, notice: Transition) -> None:
        """Queues a transition that is durable already, for those who are to be told; without a notice for nobody."""
        for worker in self._workers:
            worker.put(notice)

    def traced(self, transitions: Sequence[Transition], reference: str | None) -> None:
        """These came of a look with this `traceparent`: what tells of them will be linked to it."""
        self._looks.remember(transitions, reference)

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers:
                tasks.create_task(worker.run(stop), name=f"alerts-outbox-{worker.receiver.name}")

    def states(self) -> list[ReceiverState]:
        """How each receiver is doing."""
        found = [ReceiverState(w.receiver.name, w.receiver.kind, w.health, w.waiting) for w in self._workers]
        for kind in {state.kind for state in found}:
            failing = sum(state.health.failing_since is not None for state in found if state.kind == kind)
            prometheus.ALERT_RECEIVERS_FAILING.labels(kind).set(failing)
        return found

    def expected(self, notice: Transition) -> list[str]:
        """The names of those who are to be told of a notice, whatever has become of it."""
        return [receiver.name for receiver in route(self._receivers, notice) if not after_escalation(receiver, notice)]

    def _wanted_by(self, receiver: Receiver) -> Wanted:
        return lambda notice: any(found is receiver for found in route(self._receivers, notice))
