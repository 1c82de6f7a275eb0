"""Delivers notices one after the other, in the order of their transitions, each until it is taken or its time is up.

The outbox is the store itself: a notice without a delivery row is still to be delivered, so a process that dies
leaves nothing behind that the next one does not find. A process that dies between the receiver's answer and the
row sends that one notice again: the same fingerprint, status and startsAt.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque

from services.alerts.alert import Transition
from services.alerts.delivery.payload import RECEIVER, webhook_payload
from services.alerts.delivery.webhook import Webhook
from services.alerts.ledger import Ledger
from services.alerts.waiting import pause
from services.common import prometheus
from services.common.clock import Clock
from services.common.errors import StoreError

logger = logging.getLogger(__name__)

GIVE_UP_MS = 300_000
"""From the transition, or from the start of the process when that is later."""
REMEMBER_MS = 24 * 3_600_000
"""Older notices are no news: they are not taken up again after a restart."""
_CAPACITY = 10_000
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 15.0


class Outbox:
    """A queue with one worker. `put` never blocks; when the queue is full, the newest wait in the store."""

    def __init__(
        self,
        ledger: Ledger,
        webhook: Webhook,
        external_url: str,
        clock: Clock,
        *,
        give_up_ms: int = GIVE_UP_MS,
        capacity: int = _CAPACITY,
    ) -> None:
        self._ledger = ledger
        self._webhook = webhook
        self._external_url = external_url
        self._clock = clock
        self._give_up_ms = give_up_ms
        self._capacity = capacity
        self._queue: deque[Transition] = deque()
        self._overflowed = False
        self._news = asyncio.Event()
        self._since = clock()

    async def load(self) -> None:
        """Takes up what an earlier process left undelivered. Raises `StoreError`."""
        for transition in await self._ledger.undelivered(RECEIVER, self._clock() - REMEMBER_MS):
            self.put(transition)

    def put(self, transition: Transition) -> None:
        """Queues a transition that is durable already; one without a notice is nothing to deliver."""
        if not transition.notice:
            return
        if len(self._queue) >= self._capacity:
            self._overflowed = True
        # Once some wait in the store, later ones must wait behind them.
        if not self._overflowed:
            self._queue.append(transition)
        prometheus.ALERT_OUTBOX.set(len(self._queue))
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop`; an attempt under way is waited for, so that the next process knows of it."""
        try:
            while not stop.is_set():
                if not self._queue and self._overflowed:
                    await self._reload(stop)
                if not self._queue:
                    self._news.clear()
                    await _either(self._news, stop)
                elif await self._deliver(self._queue[0], stop):
                    self._queue.popleft()
                    prometheus.ALERT_OUTBOX.set(len(self._queue))
        finally:
            await self._webhook.close()

    async def _reload(self, stop: asyncio.Event) -> None:
        try:
            self._overflowed = False
            await self.load()
        except StoreError as error:
            self._overflowed = True
            logger.warning("outbox cannot be read", extra={"error": str(error)})
            await pause(stop, 1)

    async def _deliver(self, transition: Transition, stop: asyncio.Event) -> bool:
        """Tries until the notice's way has come to an end. False: stopped before that."""
        body = webhook_payload(transition, self._external_url)
        deadline = max(transition.at, self._since) + self._give_up_ms
        attempts = 0
        while True:
            attempts += 1
            prometheus.ALERT_DELIVERY_ATTEMPTS.inc()
            attempt = await self._webhook.post(body)
            if attempt.delivered or not attempt.retry or self._clock() >= deadline:
                break
            await pause(stop, _wait(attempts))
            if stop.is_set():
                return False
        outcome = "delivered" if attempt.delivered else "undelivered"
        prometheus.ALERT_DELIVERIES.labels(outcome).inc()
        facts = {
            "alert_id": transition.alert.id,
            "rule": transition.alert.rule,
            "notice": transition.notice,
            "attempts": attempts,
            "detail": attempt.detail,
        }
        if attempt.delivered:
            logger.info("notice delivered", extra=facts)
        else:
            logger.error("notice undelivered", extra=facts)
        await self._record(transition, outcome, attempts, attempt.detail)
        return True

    async def _record(self, transition: Transition, outcome: str, attempts: int, detail: str) -> None:
        for tried in range(1, 6):
            try:
                await self._ledger.record_delivery(transition, RECEIVER, outcome, attempts, detail, self._clock())
                return
            except StoreError as error:
                logger.warning("delivery not recorded", extra={"error": str(error), "try": tried})
                await asyncio.sleep(_wait(tried))


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    """Waits until one of them is set."""
    waiting = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def _wait(attempts: int) -> float:
    """Doubles from a quarter of a second to a quarter of a minute, of which a random half."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempts - 1, 16))
    return longest * random.uniform(0.5, 1.0)
