"""One receiver's durable queue: told in order, within its limits, until each notice is taken or its time is up."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.alerts.alert import Alert, Transition
from services.alerts.delivery.bucket import Budget
from services.alerts.delivery.health import Health
from services.alerts.delivery.looks import Looks
from services.alerts.delivery.queue import Key, choose, in_turn, key_of
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.routing import after_escalation
from services.alerts.delivery.sinks.base import FIRING, OPENING, RESOLVED, Attempt
from services.alerts.ledger import Ledger
from services.alerts.waiting import pause
from services.common import prometheus, tracing
from services.common.clock import Clock
from services.common.errors import StoreError

logger = logging.getLogger(__name__)

GIVE_UP_MS = 300_000
"""From the transition, or from the start of the process when that is later; what is open still is not given up."""
REMEMBER_MS = 24 * 3_600_000
"""Older notices are no news: they are not taken up again after a restart."""
RESOLVED_MS = 900_000
"""How long the end of an alert is repeated with what is open, as Prometheus does it."""
SKEW_MS = 60_000
"""By so much the clocks of two instances may differ: so much of what was before a receiver it may hear of."""
CAPACITY = 10_000
_FIRST_WAIT_MS = 250.0
_TURN_SECONDS = 0.2
_LONGEST_WAIT_MS = 15_000.0

Wanted = Callable[[Transition], bool]
"""Whether a notice is routed to a receiver."""
Standing = Callable[[], Sequence[Alert]]
"""The alerts that are open and of which receivers were told."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What paces a worker. `give_up_ms` and `capacity` are smaller in tests.

    `may_deliver` is asked right before each message: of several instances one delivers.
    """

    clock: Clock
    give_up_ms: int = GIVE_UP_MS
    capacity: int = CAPACITY
    may_deliver: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class _Waiting:
    notice: Transition
    attempts: int = 0


@dataclass(slots=True)
class _Pace:
    """When the receiver may be told next, on the monotonic clock: the wall clock may jump.

    `alone`: notices that were refused together with others, and that are to be told by themselves.
    """

    not_before: int = 0
    resend_at: int = 0
    failures: int = 0
    alone: set[Key] = field(default_factory=set)


class Worker:
    """One receiver, one task. `put` never blocks; when the queue is full, the newest wait in the store."""

    def __init__(
        self,
        receiver: Receiver,
        ledger: Ledger,
        timing: Timing,
        budget: Budget,
        wanted: Wanted,
        standing: Standing,
        looks: Looks | None = None,
    ) -> None:
        """`budget` may be shared with other receivers at the same address, and `looks` with all."""
        self._looks = looks or Looks()
        self.receiver = receiver
        self._attributes = {"warroom.receiver.kind": receiver.kind}
        self.health = Health()
        self._ledger = ledger
        self._timing = timing
        self._wanted = wanted
        self._standing = standing
        self._queue: list[_Waiting] = []
        self._ended: dict[str, Transition] = {}
        # What came to its end here lately, also when the store was read before it knew.
        self._over: deque[Key] = deque(maxlen=timing.capacity)
        self._overflowed = False
        self._news = asyncio.Event()
        self._since = timing.clock()
        self._known_since = 0
        self._budget = budget
        self._pace = _Pace()

    @property
    def waiting(self) -> int:
        """How many notices are queued."""
        return len(self._queue)

    async def load(self) -> None:
        """Takes up what an earlier process left, but nothing from before the receiver was first heard of.

        Raises `StoreError`.
        """
        now = self._since = self._timing.clock()
        self._known_since = await self._ledger.known_since(self.receiver.name, now)
        await self._take_up(now)

    def drop(self) -> None:
        """Forgets what waits: another instance delivers it, or `load` will find it."""
        self._remove({key_of(entry.notice) for entry in self._queue})
        self._ended.clear()
        self._overflowed = False

    def put(self, notice: Transition) -> None:
        """Queues a notice that is durable already, if it is routed here."""
        if not self._wanted(notice):
            return
        if len(self._queue) >= self._timing.capacity:
            self._overflowed = True
        # Once some wait in the store, later ones must wait behind them.
        if not self._overflowed:
            self._queue.append(_Waiting(notice))
            prometheus.ALERT_OUTBOX.labels(self.receiver.kind).inc()
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop`; an attempt under way is waited for, so that the next process knows of it."""
        try:
            while not stop.is_set():
                if not self._timing.may_deliver():
                    await pause(stop, _TURN_SECONDS)
                    continue
                if not self._queue and self._overflowed:
                    await self._reload(stop)
                    continue
                if not await self._forget_unheard():
                    await pause(stop, 1)
                    continue
                wait = self._wait_ms()
                if wait is None or wait > 0:
                    self._news.clear()
                    await _either(self._news, stop, None if wait is None else wait / 1000)
                elif not self._timing.may_deliver():
                    continue
                elif self._queue:
                    await self._deliver()
                else:
                    await self._resend()
        finally:
            prometheus.ALERT_OUTBOX.labels(self.receiver.kind).dec(len(self._queue))
            await self.receiver.sink.close()

    def _wait_ms(self) -> int | None:
        """Until something is to be sent; None: until there is news."""
        now = monotonic_ms()
        ready = max(self._pace.not_before, now + self._budget.wait_ms(now))
        if self._queue:
            return max(0, ready - now)
        return None if self.receiver.sink.resend_ms is None else max(0, max(ready, self._pace.resend_at) - now)

    async def _reload(self, stop: asyncio.Event) -> None:
        try:
            self._overflowed = False
            await self._take_up(self._timing.clock())
        except StoreError as error:
            self._overflowed = True
            logger.warning("outbox cannot be read", extra={"receiver": self.receiver.name, "error": str(error)})
            await pause(stop, 1)

    async def _take_up(self, now: int) -> None:
        since = max(now - REMEMBER_MS, self._known_since - SKEW_MS)
        found = await self._ledger.undelivered(self.receiver.name, since)
        # Only now: a message that was under way may have come to its end while the store was read.
        known = {*self._over, *(key_of(entry.notice) for entry in self._queue)}
        for notice in found:
            if key_of(notice) not in known:
                self.put(notice)

    async def _forget_unheard(self) -> bool:
        """Drops the ends of alerts of whose escalation this receiver was never told; False when that is not known."""
        for entry in [entry for entry in self._queue if after_escalation(self.receiver, entry.notice)]:
            alert_id = entry.notice.alert.id
            if any(e.notice.alert.id == alert_id and e.notice.notice in OPENING for e in self._queue):
                continue
            try:
                if not await self._ledger.was_told(alert_id, self.receiver.name):
                    self._remove({key_of(entry.notice)})
            except StoreError as error:
                logger.warning("deliveries cannot be read", extra={"error": str(error)})
                return False
        return True

    async def _deliver(self) -> None:
        """One message, and what came of it."""
        sink = self.receiver.sink
        by_key = {key_of(entry.notice): entry for entry in self._queue}
        batch = choose(
            in_turn([(entry.notice, entry.attempts) for entry in self._queue]),
            available=self._budget.available(monotonic_ms()),
            together=sink.together,
            gathers=sink.resend_ms is not None,
            alone=self._pace.alone,
        )
        for notice in batch:
            by_key[key_of(notice)].attempts += 1
        attempt = await self._send(batch)
        now = self._timing.clock()
        if attempt.delivered:
            self._ended |= {n.alert.id: n for n in batch if n.notice == RESOLVED and sink.resend_ms is not None}
            await self._end(batch, by_key, "delivered", attempt.detail)
        elif not attempt.retry and len(batch) > 1:
            # One of them may be at fault: the others must not suffer for it.
            self._pace.alone |= {key_of(notice) for notice in batch}
        elif not attempt.retry:
            self.health = self.health.gave_up(now, attempt.detail)
            await self._end(batch, by_key, "undelivered", attempt.detail)
        else:
            over = self._overdue(batch, now)
            if over:
                self.health = self.health.gave_up(now, attempt.detail, len(over))
                await self._end(over, by_key, "undelivered", attempt.detail)

    def _overdue(self, tried: Sequence[Transition], now: int) -> list[Transition]:
        """Those whose time is up. News of what is wrong is worth telling as long as it is wrong."""
        opened = {alert.id for alert in self._standing()}
        return [
            notice
            for notice in tried
            if now >= max(notice.at, self._since) + self._timing.give_up_ms
            and not (notice.notice in OPENING and notice.alert.id in opened)
        ]

    async def _resend(self) -> None:
        """Tells again what is open and what is lately over, to a receiver that would take silence for the end."""
        sink = self.receiver.sink
        assert sink.resend_ms is not None
        now = self._timing.clock()
        # Not all at the same moment, when there are several of us.
        self._pace.resend_at = monotonic_ms() + int(sink.resend_ms * random.uniform(0.9, 1.0))
        self._ended = {key: n for key, n in self._ended.items() if now - n.at < RESOLVED_MS}
        opened = {a.fingerprint: Transition(a, now, notice=FIRING) for a in self._standing()}
        # What has come back has the labels of what had gone: to tell of that end again would end it.
        over = [n for n in self._ended.values() if n.alert.fingerprint not in opened]
        notices = [*over, *(n for n in opened.values() if self._wanted(n))]
        for start in range(0, len(notices), sink.together):
            if (
                not self._timing.may_deliver()
                or not (await self._send(notices[start : start + sink.together])).delivered
            ):
                return

    async def _send(self, batch: Sequence[Transition]) -> Attempt:
        """One attempt, after which the receiver is left alone as long as it takes."""
        self._budget.take(monotonic_ms())
        prometheus.ALERT_DELIVERY_ATTEMPTS.labels(self.receiver.kind).inc()
        now = self._timing.clock()
        try:
            message = self.receiver.sink.render(batch, self.receiver.context(now))
            with tracing.span("delivery", self._attributes, kind="client", links=self._looks.of(batch)) as span:
                attempt = await self.receiver.sink.send(message, now)
                span.say({"warroom.delivered": str(attempt.delivered).lower(), "warroom.notices": len(batch)})
        except Exception:
            # A fault of ours in one message must stop neither the others nor the service.
            logger.exception("message cannot be made", extra={"receiver": self.receiver.name})
            attempt = Attempt(False, False, "cannot be made")
        if attempt.delivered:
            self.health = self.health.succeeded()
            self._pace.failures = 0
        else:
            self.health = self.health.failed(self._timing.clock(), attempt.detail)
            self._pace.failures += 1
            wait = max(_backoff_ms(self._pace.failures), attempt.retry_after * random.uniform(1.0, 1.1))
            self._pace.not_before = monotonic_ms() + int(wait if attempt.retry else 0)
            extra = {"receiver": self.receiver.name, "detail": attempt.detail, "failures": self._pace.failures}
            logger.warning("receiver did not take a message", extra=extra)
        return attempt

    async def _end(
        self, notices: Sequence[Transition], entries: dict[Key, _Waiting], outcome: str, detail: str
    ) -> None:
        """The end of the way of these notices, in the queue, in the log and in the store."""
        now = self._timing.clock()
        kind = self.receiver.kind
        self._over.extend(key_of(notice) for notice in notices)
        prometheus.ALERT_DELIVERIES.labels(kind, outcome).inc(len(notices))
        attempts = [entries[key_of(notice)].attempts for notice in notices]
        for notice, tried in zip(notices, attempts, strict=True):
            if outcome == "delivered":
                prometheus.ALERT_DELIVERY_SECONDS.labels(kind).observe(max(0, now - notice.at) / 1000)
            logger.log(
                logging.INFO if outcome == "delivered" else logging.ERROR,
                f"notice {outcome}",
                extra={
                    "alert_id": notice.alert.id,
                    "rule": notice.alert.rule,
                    "notice": notice.notice,
                    "receiver": self.receiver.name,
                    "attempts": tried,
                    "detail": detail,
                },
            )
        for tried in range(1, 6):
            try:
                await self._ledger.record_deliveries(
                    list(zip(notices, attempts, strict=True)), self.receiver.name, outcome, detail, now
                )
                break
            except StoreError as error:
                logger.warning("delivery not recorded", extra={"error": str(error), "try": tried})
                await asyncio.sleep(_backoff_ms(tried) / 1000)
        self._remove({key_of(notice) for notice in notices})

    def _remove(self, keys: set[Key]) -> None:
        before = len(self._queue)
        self._queue = [entry for entry in self._queue if key_of(entry.notice) not in keys]
        self._pace.alone -= keys
        prometheus.ALERT_OUTBOX.labels(self.receiver.kind).dec(before - len(self._queue))


async def _either(first: asyncio.Event, second: asyncio.Event, seconds: float | None) -> None:
    """Waits until one of them is set, or so long."""
    waiting = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def _backoff_ms(attempts: int) -> float:
    """Doubles from a quarter of a second to a quarter of a minute, of which a random half."""
    longest = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS * 2.0 ** min(attempts - 1, 16))
    return longest * random.uniform(0.5, 1.0)


def monotonic_ms() -> int:
    """For distances of time, whatever becomes of the wall clock."""
    return time.monotonic_ns() // 1_000_000
