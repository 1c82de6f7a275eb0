"""The alerts service: a look a second, transitions into the store, notices to the outbox."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from services.alerts.alert import Alert, Transition
from services.alerts.api import alerts_router
from services.alerts.collector import Collector
from services.alerts.delivery.outbox import Outbox
from services.alerts.delivery.receiver import load_receivers
from services.alerts.delivery.worker import Timing
from services.alerts.detectors.data_silence import DataSilence
from services.alerts.engine import Engine
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import OPEN, State
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve
from services.alerts.rules.book import RuleBook
from services.alerts.rules.model import Rule
from services.alerts.rules.watch import watch
from services.alerts.scene import Scene
from services.alerts.silences import SilenceBook
from services.alerts.waiting import Rest, pause
from services.common import prometheus
from services.common.clock import Clock, wall_clock
from services.common.errors import StoreError, StoreUnavailable
from services.common.settings import Settings
from services.common.store import Store, StorePool

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0
_STALE_MS = 15_000
_LONGEST_BACKOFF = 10.0


class AlertsService:
    """Judges the rules. One process of it at a time: two would record each incident twice.

    Raises `ConfigurationError` at once when the rules or the receivers are wrong.
    """

    name = "alerts"

    def __init__(self, settings: Settings, store: Store, *, clock: Clock = wall_clock, rest: Rest = pause) -> None:
        """`rest` is awaited between two looks; a rehearsal, whose days pass in minutes, says itself when to look."""
        self._clock = clock
        self._rest = rest
        self.external_url = settings.external_url
        self.rulebook = RuleBook(settings.rules_file, clock())
        self._pool = StorePool(store, threads=2, name="alerts")
        self.ledger = Ledger(self._pool)
        self.silences = SilenceBook(self._pool)
        self._engine = Engine(self.rulebook.rules)
        self._collector = Collector(self._pool, clock(), self._asks)
        self.outbox = Outbox(self.ledger, load_receivers(settings, os.environ), Timing(clock), self._standing)
        self._changing = asyncio.Lock()
        self._looked_at: int | None = None
        self._trouble: str | None = None
        self.router = alerts_router(self)

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def now(self) -> int:
        """Epoch milliseconds by the service's clock."""
        return self._clock()

    async def run(self, stop: asyncio.Event) -> None:
        """Looks once a second until `stop`."""
        try:
            if not await self._start(stop):
                return
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.outbox.run(stop), name="alerts-outbox")
                tasks.create_task(watch(self.rulebook, self._clock, self.take_rules, stop), name="alerts-rules")
                await self._loop(stop)
        finally:
            await self._pool.close()

    def not_ready(self) -> str | None:
        if self._looked_at is None:
            return self._trouble or "has not judged the rules yet"
        if self._clock() - self._looked_at > _STALE_MS:
            return self._trouble or "has not judged the rules for a while"
        return None

    async def restore(self) -> None:
        """Takes up the alerts, silences and notices of an earlier process. Raises `StoreError`."""
        now = self._clock()
        self._engine = Engine(self.rulebook.rules, await self.ledger.open_alerts())
        await self.silences.load(now)
        await self.outbox.load()

    async def take_rules(self, rules: Sequence[Rule]) -> None:
        """These are in force from the next look on; alerts of rules that keep their name go on."""
        async with self._changing:
            gone = self._engine.rules.keys() - {rule.name for rule in rules}
            self._engine.replace_rules(rules)
        for name in gone:
            for state in (State.PENDING, State.FIRING, State.ACKNOWLEDGED):
                # A rule that came and went between two looks has none.
                with contextlib.suppress(KeyError):
                    prometheus.ALERTS.remove(name, state.value)

    async def look(self) -> list[Transition]:
        """One look at all rules; returns what changed, durable and queued for delivery. Raises `StoreError`."""
        now = self._clock()
        also = {alert.campaign_id for alert in self._engine.alerts.values()}
        scene = await self._with_live_seconds(await self._collector.read(now, also))
        scene = replace(scene, pipeline=replace(scene.pipeline, deliveries=self.outbox.states()))
        async with self._changing:
            outcome = self._engine.evaluate(scene, self.silences.silenced)
            if outcome.transitions:
                await self.ledger.record(outcome.transitions)
            self._engine.commit(outcome)
        for transition in outcome.transitions:
            self._announce(transition)
        self._looked_at = now
        self._gauge()
        return list(outcome.transitions)

    async def acknowledge(self, alert_id: str, actor: str, note: str) -> Alert | None:
        """Takes a firing alert on; None when it is not firing any more, or not yet.

        Acknowledging again changes nothing. Raises `NotFound` and `StoreError`.
        """
        async with self._changing:
            alert = next((a for a in self._engine.alerts.values() if a.id == alert_id), None)
            if alert is None:
                await self.ledger.get(alert_id)
                return None
            if alert.state is State.ACKNOWLEDGED:
                return alert
            if alert.state is not State.FIRING:
                return None
            transition = self._engine.acknowledge(alert, self._clock(), actor, note)
            await self.ledger.record([transition])
            self._engine.accept(transition)
        self._announce(transition)
        return transition.alert

    async def find_alert(self, alert_id: str) -> Alert:
        """An alert by its id, pending ones included. Raises `NotFound` and `StoreError`."""
        for alert in self.pending():
            if alert.id == alert_id:
                return alert
        return await self.ledger.get(alert_id)

    def pending(self) -> list[Alert]:
        """Alerts that have not lasted long enough to fire; they live in memory only."""
        return [alert for alert in self._engine.alerts.values() if alert.state is State.PENDING]

    async def _start(self, stop: asyncio.Event) -> bool:
        wait = 0.5
        while not stop.is_set():
            try:
                await self.restore()
                return True
            except StoreUnavailable as error:
                self._trouble = "the store does not answer"
                logger.warning("cannot restore alerts", extra={"error": str(error)})
                await pause(stop, wait)
                wait = min(_LONGEST_BACKOFF, wait * 2)
        return False

    async def _loop(self, stop: asyncio.Event) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            started = loop.time()
            try:
                with prometheus.ALERT_EVALUATION_SECONDS.time():
                    await self.look()
                self._trouble, failures = None, 0
            except StoreError as error:
                failures += 1
                prometheus.ALERT_EVALUATION_FAILURES.inc()
                self._trouble = "the store does not answer"
                logger.warning("rules could not be judged", extra={"error": str(error), "failures": failures})
            every = min(_LONGEST_BACKOFF, 2.0 ** min(failures, 10)) if failures else _EVERY_SECONDS
            await self._rest(stop, max(0.2, every - (loop.time() - started)))

    def _asks(self, now: int, plan: Plan | None) -> set[Ask | Curve]:
        return self._engine.asks(now, plan)

    def _standing(self) -> list[Alert]:
        """What is open and was told: receivers that take silence for the end hear of it again."""
        return [alert for alert in self._engine.alerts.values() if alert.state in OPEN and alert.notified]

    async def _with_live_seconds(self, scene: Scene) -> Scene:
        """Asks whether a campaign that is silent was live before, for those of which it matters."""
        detectors = [d for d in self._engine.detectors.values() if isinstance(d, DataSilence)]
        campaigns = dict(scene.campaigns)
        for campaign_id, campaign in scene.campaigns.items():
            if not campaign.over and any(detector.candidate(campaign) for detector in detectors):
                campaigns[campaign_id] = await self._collector.with_live_seconds(campaign)
        return Scene(scene.now, scene.pipeline, campaigns)

    def _announce(self, transition: Transition) -> None:
        alert = transition.alert
        prometheus.ALERT_TRANSITIONS.labels(alert.rule, alert.state.value).inc()
        logger.info(
            "alert " + alert.state.value,
            extra={
                "alert_id": alert.id,
                "rule": alert.rule,
                "severity": alert.severity,
                "labels": dict(alert.labels),
                "value": alert.value,
                "threshold": alert.threshold,
                "summary": alert.summary,
                "notice": transition.notice,
            },
        )
        self.outbox.put(transition)

    def _gauge(self) -> None:
        counts = Counter((alert.rule, alert.state) for alert in self._engine.alerts.values())
        for rule in self._engine.rules:
            for state in (State.PENDING, State.FIRING, State.ACKNOWLEDGED):
                prometheus.ALERTS.labels(rule, state.value).set(counts[rule, state])
