"""What the wall screen is told each second."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from services.common.clock import Clock
from services.common.query.completeness import read_completeness
from services.common.query.engine import QueryEngine
from services.common.settings import Settings
from services.common.store import StorePool
from services.common.store.joined import JoinedPool
from services.metrics.alert_feed import FeedAlert, read_alert_feed
from services.metrics.baselines.choice import DECLARED, find_baseline
from services.metrics.campaigns import CampaignBook
from services.metrics.overview import overview_answer
from services.metrics.stream import Tick
from services.metrics.wall.lens import Lens
from services.metrics.wall.panels import PERIODS, Panels
from services.metrics.wall.pulse import pulse_of, pulse_table
from services.metrics.wall.scene import Scene, live_scene

_PATIENCE_SECONDS = 0.5
"""So long a snapshot through a filter waits for its numbers: those of crossing dimensions are read from the events."""

_REST = 4
"""Such numbers are asked again when this many times their own duration has passed since they were asked."""

_EXTENT_SECONDS = 10.0
"""For so long it is known where a campaign's events lie: what is folded arrived 20 s before at least."""


class Snapshots:
    """One lens's snapshots. What changes every second is asked every second; what costs more, less often.

    A panel is asked again when nine times its own duration (and at least its period) has passed, so that a heavy one
    takes a tenth of the time at most. Numbers through a filter that take long are told as they were last known, with
    their own `as_of`, and take a quarter of the time at most; those without a filter are always of this second.
    """

    def __init__(self, lens: Lens, pool: StorePool, settings: Settings, clock: Clock) -> None:
        self._lens = lens
        engine = QueryEngine(pool)
        # What is asked each second, in two statements: how far everything has come, and then the numbers.
        self._joined = JoinedPool(pool)
        self._joined_engine = QueryEngine(self._joined)
        self._book = CampaignBook(self._joined, clock, settings.reporting_currency)
        book = CampaignBook(pool, clock, settings.reporting_currency)
        self._asked = Panels(pool, engine, book, settings.brushing_orders_per_hour)
        self._clock = clock
        self._panels: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._told: dict[str, int] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._asked_again = 0.0
        self._known: tuple[dict[str, Any], dict[str, Any]] | None = None

    async def tick(self) -> Tick:
        """The whole snapshot, and the alerts that changed since the last."""
        now = self._clock()
        # Before the numbers, so that no more is claimed than they hold.
        campaign, completeness, alerts = await asyncio.gather(
            self._book.get(self._lens.campaign_id),
            read_completeness(self._joined, now),
            read_alert_feed(self._joined, self._lens.campaign_id),
        )
        baseline = await find_baseline(self._book, campaign, DECLARED)
        scene = live_scene(self._lens, campaign, baseline, completeness)
        await self._refresh(scene)
        overview, pulse = await self._numbers(scene)
        snapshot = {
            **completeness.fields(scene.question.end_ms),
            "lens": self._lens.told(campaign),
            "campaign": campaign.answer(now),
            "overview": overview,
            "alerts": {"rows": [alert.told for alert in alerts]},
            "pulse": pulse,
            **self._panels,
        }
        return Tick(now, snapshot, self._changed(alerts), [(alert.at_ms, alert.told) for alert in alerts])

    def _changed(self, alerts: list[FeedAlert]) -> list[dict[str, Any]]:
        before = self._told
        self._told = {alert.told["id"]: alert.seq for alert in alerts}
        if before is None:
            return []
        return [alert.told for alert in reversed(alerts) if before.get(alert.told["id"]) != alert.seq]

    async def _numbers(self, scene: Scene) -> tuple[dict[str, Any], dict[str, Any]]:
        """The overview and the pulse."""
        if self._asking is None or (self._asking.done() and time.monotonic() >= self._asked_again):
            self._asking = asyncio.create_task(self._ask_numbers(scene), name="stream-numbers")
        if self._lens.filters and self._known is not None:
            await asyncio.wait({self._asking}, timeout=_PATIENCE_SECONDS)
        if not self._lens.filters or self._known is None or self._asking.done():
            # Raises what went wrong.
            await self._asking
        assert self._known is not None
        return self._known

    async def _ask_numbers(self, scene: Scene) -> None:
        started = time.monotonic()
        overview, pulse = await asyncio.gather(
            overview_answer(self._joined_engine, scene.campaign, scene.baseline, scene.question, scene.completeness),
            pulse_of(self._joined, scene),
        )
        self._known = overview, pulse_table(pulse)
        spent = time.monotonic() - started
        if self._lens.filters and spent > _PATIENCE_SECONDS:
            self._asked_again = started + _REST * spent

    async def _refresh(self, scene: Scene) -> None:
        """Begins to ask the panels that are due, unless that is still going on. The tick waits for the first only:
        a heavy panel must not make the whole screen look stale."""
        if self._refreshing is None or self._refreshing.done():
            if self._refreshing is not None:
                # Raises what went wrong, so that the viewers of a store that fails see a stale screen.
                self._refreshing.result()
            self._refreshing = asyncio.create_task(self._ask_due(scene), name="stream-panels")
        if not self._panels:
            await self._refreshing

    async def _ask_due(self, scene: Scene) -> None:
        began = time.monotonic()
        if not self._panels:
            # Somebody waits for the first of each; how long they take together says nothing of one.
            self._panels = await self._asked.ask_all(scene)
            self._due = {name: began + period for name, period in PERIODS.items()}
            return
        for name, period in PERIODS.items():
            started = time.monotonic()
            if started - began > _EXTENT_SECONDS:
                scene = replace(scene, question=replace(scene.question, extent=None))
            if started < self._due.get(name, 0):
                continue
            # Asked less often than the rest: a panel says for itself how far it can be trusted.
            listed = {row["item_id"] for row in self._panels.get("items", {}).get("rows", ())}
            self._panels[name] = await self._asked.ask(name, scene, listed)
            spent = time.monotonic() - started
            self._due[name] = started + max(period, 10 * spent)

    async def close(self) -> None:
        """Ends what is still being asked."""
        for task in (self._refreshing, self._asking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
