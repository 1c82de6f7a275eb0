"""One snapshot of a moment: what the stream would have told then, as it is known now."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from services.common.clock import Clock, to_datetime
from services.common.errors import Busy, InvalidRequest
from services.common.query.completeness import read_completeness
from services.common.query.engine import QueryEngine
from services.common.settings import Settings
from services.common.store import StorePool
from services.common.tabular import time_text
from services.metrics.alert_feed import read_alert_feed
from services.metrics.baselines.choice import DECLARED, find_baseline
from services.metrics.campaigns import CampaignBook
from services.metrics.overview import overview_answer
from services.metrics.wall.lens import Lens
from services.metrics.wall.panels import Panels
from services.metrics.wall.pulse import begun_minute, pulse_of, pulse_table
from services.metrics.wall.scene import Scene, live_scene, past_scene

AT_A_TIME = 2
"""Moments that are asked at a time: each takes many questions, and the live screens come first."""

MOST_WAITING = 8

_REMEMBERED = 600
_REMEMBERED_SECONDS = 10.0

Key = tuple[str, Lens, int]


class Moments:
    """Snapshots of any moment of a campaign.

    What is told of full minutes is remembered for some seconds: a replay asks for several moments of each.
    """

    def __init__(self, pool: StorePool, settings: Settings, clock: Clock) -> None:
        self._pool = pool
        self._engine = QueryEngine(pool)
        self._book = CampaignBook(pool, clock, settings.reporting_currency)
        self._clock = clock
        self._panels = Panels(pool, self._engine, self._book, settings.brushing_orders_per_hour)
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._waiting = 0
        self._minutes: OrderedDict[Key, tuple[float, dict[str, Any]]] = OrderedDict()

    async def snapshot(self, lens: Lens, at_ms: int | None) -> dict[str, Any]:
        """What had happened until `at_ms` (whole seconds, epoch ms), or until now.

        Raises `NotFound` for a campaign that nobody knows, `InvalidRequest` for a moment that is none of the campaign,
        `Busy` when too many are being asked for.
        """
        if self._waiting >= MOST_WAITING + AT_A_TIME:
            raise Busy(f"{AT_A_TIME} moments are being looked up, and {MOST_WAITING} wait")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._snapshot(lens, at_ms)
        finally:
            self._waiting -= 1

    async def _snapshot(self, lens: Lens, at_ms: int | None) -> dict[str, Any]:
        now = self._clock()
        if at_ms is not None and at_ms > now:
            raise InvalidRequest("at", f"must not be in the future: it is {time_text(to_datetime(now))}")
        scene = await self._scene(lens, at_ms, now)
        overview, pulse, alerts, panels = await asyncio.gather(
            self._of_minute(
                "overview",
                scene,
                lambda: overview_answer(
                    self._engine, scene.campaign, scene.baseline, scene.question, scene.completeness
                ),
            ),
            pulse_of(self._pool, scene),
            read_alert_feed(self._pool, lens.campaign_id, until_ms=scene.moment_ms),
            self._panels.ask_all(scene, self._panel),
        )
        return {
            **scene.completeness.fields(scene.moment_ms if scene.past else scene.question.end_ms),
            "lens": lens.told(scene.campaign, at_ms),
            "campaign": scene.campaign.answer(scene.moment_ms),
            "overview": overview,
            "alerts": {"rows": [alert.told for alert in alerts]},
            "pulse": pulse_table(pulse),
            **({"current_minute": begun_minute(pulse, scene)} if scene.past else {}),
            **panels,
        }

    async def _scene(self, lens: Lens, at_ms: int | None, now: int) -> Scene:
        # Before the numbers, so that no more is claimed than they hold.
        campaign, completeness = await asyncio.gather(
            self._book.get(lens.campaign_id), read_completeness(self._pool, now)
        )
        if at_ms is not None and at_ms < campaign.start_ms:
            start = time_text(campaign.local(campaign.start_ms))
            raise InvalidRequest("at", f"must not be before the campaign's start, {start}")
        baseline = await find_baseline(self._book, campaign, DECLARED)
        if at_ms is None:
            return live_scene(lens, campaign, baseline, completeness)
        return past_scene(lens, campaign, baseline, completeness, at_ms)

    async def _of_minute(self, name: str, scene: Scene, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        if not scene.past:
            return await ask()
        now = time.monotonic()
        key = (name, scene.lens, scene.question.end_ms)
        until, known = self._minutes.get(key, (now, {}))
        if until > now:
            return known
        answer = await ask()
        self._minutes[key] = (now + _REMEMBERED_SECONDS, answer)
        self._minutes.move_to_end(key)
        while len(self._minutes) > _REMEMBERED:
            self._minutes.popitem(last=False)
        return answer

    async def _panel(self, name: str, scene: Scene, listed: Collection[str]) -> dict[str, Any]:
        if name == "inventory":
            # To the second.
            return await self._panels.ask(name, scene, listed)
        return await self._of_minute(name, scene, lambda: self._panels.ask(name, scene))
