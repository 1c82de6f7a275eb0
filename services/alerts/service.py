"""The alerts service: a look a second, transitions into the store, notices to the outbox.

Of several instances on one store, one holds the lease (services/alerts/lease): it judges and delivers. The others read
what it records and serve it, pass on to it what people ask of them, and take over when it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import uuid
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
from services.alerts.flapping import LONGEST_MEMORY_MS
from services.alerts.lease.book import StoredLeases
from services.alerts.lease.keeper import Keeper, elapsed_ms
from services.alerts.lease.protocol import TTL_MS, Lease
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import OPEN, State
from services.alerts.patience import Patience, patience_of
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.rules.book import RuleBook
from services.alerts.rules.model import Rule
from services.alerts.rules.watch import watch
from services.alerts.scene import Scene
from services.alerts.silences import SilenceBook
from services.alerts.waiting import Rest, pause
from services.common import prometheus, tracing
from services.common.clock import Clock, wall_clock
from services.common.errors import StoreError, StoreUnavailable
from services.common.settings import Settings
from services.common.store import Store, StorePool

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0
_STALE_MS = 15_000
_LONGEST_BACKOFF = 10.0
_REQUEST_SECONDS = 5.0
_REQUEST_POLL_SECONDS = 0.2


class AlertsService:
    """Judges the rules, when it is this instance's turn.

    Driven by `run` it acts only while it holds the lease. Driven by hand (`restore`, `look`) it asks for none: whoever
    does that sees to it that there is one at a time.

    Raises `ConfigurationError` at once when the rules or the receivers are wrong.
    """

    name = "alerts"

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Clock = wall_clock,
        rest: Rest = pause,
        lease_ttl_ms: int = TTL_MS,
    ) -> None:
        """`rest` is awaited between two looks; a rehearsal, whose days pass in minutes, says itself when to look.

        `lease_ttl_ms`: so long after an instance has died another one takes its place.
        """
        self._clock = clock
        self._rest = rest
        self.external_url = settings.external_url
        self.rulebook = RuleBook(settings.rules_file, clock())
        self._pool = StorePool(store, threads=2, name="alerts")
        self.ledger = Ledger(self._pool)
        self.silences = SilenceBook(self._pool)
        self._engine = Engine(self.rulebook.rules)
        self._collector = Collector(self._pool, clock(), self._asks)
        timing = Timing(clock, may_deliver=self.may_act)
        self.outbox = Outbox(self.ledger, load_receivers(settings, os.environ), timing, self._standing)
        self._alone = settings.embedded_store
        self._lease_ttl_ms = lease_ttl_ms
        self._keeper: Keeper | None = None
        self._unsure = False
        self._patience = Patience()
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
        """Looks once a second until `stop`, while it holds the lease, and stands by while another instance does."""
        leases = StorePool(self._pool.store, threads=1, name="alerts-lease")
        lease = Lease(StoredLeases(leases), uuid.uuid4().hex, elapsed_ms, ttl_ms=self._lease_ttl_ms, alone=self._alone)
        self._keeper = keeper = Keeper(lease)
        try:
            await keeper.turn()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.outbox.run(stop), name="alerts-outbox")
                tasks.create_task(watch(self.rulebook, self._clock, self.take_rules, stop), name="alerts-rules")
                tasks.create_task(keeper.run(stop), name="alerts-lease")
                tasks.create_task(self._loop(keeper, stop), name="alerts-look")
            await keeper.release()
        finally:
            await leases.close()
            await self._pool.close()

    def not_ready(self) -> str | None:
        if self._looked_at is None:
            return self._trouble or "has not judged the rules yet"
        if self._clock() - self._looked_at > _STALE_MS:
            return self._trouble or "has not judged the rules for a while"
        return None

    async def restore(self) -> None:
        """Takes up the alerts, silences and notices of an earlier process, or of before an insert of which it is not
        known whether it took place. Raises `StoreError`."""
        now = self._clock()
        # Whatever fails from here on, or is recorded without an answer meanwhile, is read once more.
        self._unsure = False
        try:
            await self._restore(now)
        except StoreError:
            self._unsure = True
            raise

    async def _restore(self, now: int) -> None:
        async with self._changing:
            pending = self.pending()
            # What is open by now is no longer pending, and takes its place.
            lately = await self.ledger.ended_lately(now - LONGEST_MEMORY_MS)
            self._engine.adopt([*lately, *pending, *await self.ledger.open_alerts()])
            if not self._patience.since:
                self._patience = self._engine.patience = await self.ledger.patience()
        await self.silences.load(now)
        self.outbox.drop()
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
        if self._unsure:
            await self.restore()
        now = self._clock()
        also = {alert.campaign_id for alert in self._engine.alerts.values()}
        scene = await self._with_live_seconds(await self._collector.read(now, also))
        scene = replace(scene, pipeline=replace(scene.pipeline, deliveries=self.outbox.states()))
        async with self._changing:
            outcome = self._engine.evaluate(scene, self.silences.silenced)
            if not self.may_act():
                return []
            if outcome.transitions:
                await self._record(outcome.transitions)
            self._engine.commit(outcome)
        self.outbox.traced(outcome.transitions, tracing.current())
        for transition in outcome.transitions:
            self._announce(transition)
        await self._keep_patience(now)
        self._looked_at = now
        self._gauge()
        return list(outcome.transitions)

    async def acknowledge(self, alert_id: str, actor: str, note: str) -> Alert | None:
        """Takes a firing alert on; None when it is not firing any more, or not yet.

        Acknowledging again changes nothing. Raises `NotFound` and `StoreError`.
        """
        if not self.may_act():
            return await self._request(alert_id, actor, note)
        async with self._changing:
            # The lock may have been long in coming: what was so before it need not be so now.
            if self._unsure or not self.may_act():
                raise StoreUnavailable("what is open is just being read again; acknowledge once more in a moment")
            alert = next((a for a in self._engine.alerts.values() if a.id == alert_id), None)
            if alert is None:
                await self.ledger.get(alert_id)
                return None
            if alert.state is State.ACKNOWLEDGED:
                return alert
            if alert.state is not State.FIRING:
                return None
            transition = await self._acknowledge(alert, actor, note)
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

    def may_act(self) -> bool:
        """Whether it is this instance's turn, at this very moment, to record and to deliver."""
        return self._keeper is None or self._keeper.acting

    async def _turn(self, keeper: Keeper) -> None:
        """A look, or what there is to do while another instance looks."""
        term = keeper.due
        if term is not None:
            await self.restore()
            keeper.begin(term)
        if not keeper.acting:
            await self._stand_by()
            return
        if not self._alone:
            await self._take_over_requests()
        with prometheus.ALERT_EVALUATION_SECONDS.time(), tracing.span("look"):
            await self.look()

    async def _stand_by(self) -> None:
        """Knows what the holder of the lease has recorded."""
        now = self._clock()
        self.outbox.stand_by()
        await self.silences.load(now)
        self._engine.adopt(await self.ledger.open_alerts())
        self._patience = Patience()
        self._looked_at = now
        self._gauge()

    async def _keep_patience(self, now: int) -> None:
        for_ms = {name: rule.for_ms for name, rule in self._engine.rules.items()}
        patience = patience_of(self._engine.alerts.values(), for_ms, now)
        if self._patience.outdated(patience):
            try:
                await self.ledger.keep_patience(patience)
                self._patience = patience
            except StoreError as error:
                logger.warning("what is pending was not kept", extra={"error": str(error)})

    async def _take_over_requests(self) -> None:
        """Does what people have asked of instances that stand by."""
        await self.silences.load(self._clock())
        for request in await self.ledger.requests():
            async with self._changing:
                alert = next((a for a in self._engine.alerts.values() if a.id == request.alert_id), None)
                asked_of = alert is not None and alert.life.fired_at == request.fired_at
                if alert is None or not asked_of or alert.state is not State.FIRING or not self.may_act():
                    continue
                transition = await self._acknowledge(alert, request.actor, request.note)
            self._announce(transition)

    async def _request(self, alert_id: str, actor: str, note: str) -> Alert | None:
        """Asks the holder of the lease to acknowledge, and waits until it has."""
        alert = await self.ledger.get(alert_id)
        if alert.state is State.FIRING:
            await self.ledger.request(alert, actor, note)
        deadline = asyncio.get_running_loop().time() + _REQUEST_SECONDS
        while alert.state is State.FIRING:
            if asyncio.get_running_loop().time() > deadline:
                raise StoreUnavailable("no instance holds the lease; the acknowledgement is kept for the next one")
            await asyncio.sleep(_REQUEST_POLL_SECONDS)
            alert = await self.ledger.get(alert_id)
        return alert if alert.state is State.ACKNOWLEDGED else None

    async def _acknowledge(self, alert: Alert, actor: str, note: str) -> Transition:
        transition = self._engine.acknowledge(alert, self._clock(), actor, note)
        await self._record([transition])
        self._engine.accept(transition)
        return transition

    async def _record(self, transitions: Sequence[Transition]) -> None:
        keeper = self._keeper
        try:
            await self.ledger.record(transitions, 0 if keeper is None else keeper.term)
            if keeper is not None and not await keeper.confirm():
                raise StoreUnavailable("another instance is taking over; what is open is read again in a moment")
        except StoreError:
            # It may have happened: what is open is read again before the next look, or one incident could be two.
            self._unsure = True
            raise

    async def _loop(self, keeper: Keeper, stop: asyncio.Event) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            started = loop.time()
            try:
                await self._turn(keeper)
                self._trouble, failures = None, 0
            except StoreError as error:
                failures += 1
                prometheus.ALERT_EVALUATION_FAILURES.inc()
                self._trouble = "the store does not answer"
                logger.warning("rules could not be judged", extra={"error": str(error), "failures": failures})
            except Exception:
                # A fault of ours in one look must not end all looks; what it left half done is read again.
                failures += 1
                self._unsure = True
                prometheus.ALERT_EVALUATION_FAILURES.inc()
                self._trouble = "judging the rules failed; the log says why"
                logger.exception("rules could not be judged", extra={"failures": failures})
            every = min(_LONGEST_BACKOFF, 2.0 ** min(failures, 10)) if failures else _EVERY_SECONDS
            await self._rest(stop, max(0.2, every - (loop.time() - started)))

    def _asks(self, now: int, plan: Plan | None) -> set[Inquiry]:
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
