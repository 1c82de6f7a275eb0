"""What the wall screen is told each second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from services.common.clock import MINUTE_MS, Clock, floor_minute
from services.common.query.completeness import Completeness, kinds_behind, read_completeness
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.store import StorePool
from services.common.store.joined import JoinedPool
from services.common.tabular import json_table, money_text, time_text
from services.metrics.alert_feed import FeedAlert, read_alert_feed
from services.metrics.baselines.choice import DECLARED, find_baseline
from services.metrics.campaigns import CampaignBook, KnownCampaign
from services.metrics.overview import overview_answer
from services.metrics.pacing.table import pacing_about, pacing_table
from services.metrics.stream import Tick
from services.metrics.tables import (
    FUNNEL_KINDS,
    INVENTORY_KINDS,
    Table,
    breakdown_table,
    funnel_table,
    inventory_table,
)

PULSE_SECONDS = 600

_PANELS = {"channels": 2, "funnel": 3, "items": 3, "inventory": 3, "regions": 5, "pacing": 5}
"""Each with the seconds after which it is asked again."""

_CHANNELS = ("gmv", "paid_gmv", "uv", "buyers", "conversion_rate", "ad_cost", "roas", "roi")
_REGIONS = ("gmv", "uv")
_ITEMS = ("gmv", "orders_paid")

_PULSE = """
SELECT
    second,
    sum(p.traffic) AS events,
    sum(p.orders_created) AS orders_created,
    sum(p.orders_paid) AS orders_paid,
    sum(p.gmv) AS gmv,
    sum(p.paid_gmv) AS paid_gmv
FROM pulse_by_second AS p
WHERE
    campaign_id = {campaign_id:String}
    AND second >= toDateTime({start:UInt32}, 'UTC')
    AND second < toDateTime({end:UInt32}, 'UTC')
GROUP BY second
ORDER BY second
"""


_EXTENT_SECONDS = 10.0
"""For so long it is known where a campaign's events lie: what is folded arrived 20 s before at least."""


class Snapshots:
    """One campaign's snapshots. What changes every second is asked every second; what costs more, less often.

    A panel is asked again when nine times its own duration (and at least its period) has passed, so that a heavy one
    takes a tenth of the time at most.
    """

    def __init__(self, campaign_id: str, pool: StorePool, currency: str, clock: Clock) -> None:
        self._campaign_id = campaign_id
        self._pool = pool
        self._engine = QueryEngine(pool)
        # What is asked each second, in two statements: how far everything has come, and then the numbers.
        self._joined = JoinedPool(pool)
        self._joined_engine = QueryEngine(self._joined)
        self._book = CampaignBook(self._joined, clock, currency)
        self._panel_book = CampaignBook(pool, clock, currency)
        self._clock = clock
        self._panels: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._told: dict[str, int] | None = None

    async def tick(self) -> Tick:
        """The whole snapshot, and the alerts that changed since the last."""
        now = self._clock()
        # Before the numbers, so that no more is claimed than they hold.
        campaign, completeness, alerts = await asyncio.gather(
            self._book.get(self._campaign_id),
            read_completeness(self._joined, now),
            read_alert_feed(self._joined, self._campaign_id),
        )
        question = Question(
            self._campaign_id,
            campaign.start_ms,
            max(campaign.start_ms, floor_minute(now) + MINUTE_MS),
            phases=campaign.phases,
            extent=campaign.extent,
        )
        await self._refresh(campaign, question, completeness)
        baseline = await find_baseline(self._book, campaign, DECLARED)
        overview, pulse = await asyncio.gather(
            overview_answer(self._joined_engine, campaign, baseline, question, completeness), self._pulse(now)
        )
        snapshot = {
            **completeness.fields(question.end_ms),
            "campaign": campaign.answer(now),
            "overview": overview,
            "alerts": {"rows": [alert.told for alert in alerts]},
            "pulse": _pulse_table(pulse),
            **self._panels,
        }
        return Tick(now, snapshot, self._changed(alerts), [(alert.at_ms, alert.told) for alert in alerts])

    def _changed(self, alerts: list[FeedAlert]) -> list[dict[str, Any]]:
        before = self._told
        self._told = {alert.told["id"]: alert.seq for alert in alerts}
        if before is None:
            return []
        return [alert.told for alert in reversed(alerts) if before.get(alert.told["id"]) != alert.seq]

    async def _pulse(self, now: int) -> list[dict[str, Any]]:
        rows = await self._joined.query(
            _PULSE,
            {"campaign_id": self._campaign_id, "start": now // 1000 - PULSE_SECONDS, "end": now // 1000 + 1},
        )
        return [
            {
                "time": time_text(row["second"]),
                "events": row["events"],
                "orders_created": row["orders_created"],
                "orders_paid": row["orders_paid"],
                "gmv": money_text(row["gmv"]),
                "paid_gmv": money_text(row["paid_gmv"]),
            }
            for row in rows
        ]

    async def _refresh(self, campaign: KnownCampaign, question: Question, completeness: Completeness) -> None:
        """Begins to ask the panels that are due, unless that is still going on. The tick waits for the first only:
        a heavy panel must not make the whole screen look stale."""
        if self._refreshing is None or self._refreshing.done():
            if self._refreshing is not None:
                # Raises what went wrong, so that the viewers of a store that fails see a stale screen.
                self._refreshing.result()
            self._refreshing = asyncio.create_task(
                self._ask_due(campaign, question, completeness), name="stream-panels"
            )
        if not self._panels:
            await self._refreshing

    async def _ask_due(self, campaign: KnownCampaign, question: Question, completeness: Completeness) -> None:
        began = time.monotonic()
        for name, period in _PANELS.items():
            started = time.monotonic()
            if started - began > _EXTENT_SECONDS:
                question = replace(question, extent=None)
            if started < self._due.get(name, 0):
                continue
            # Asked less often than the rest: a panel says for itself how far it can be trusted.
            if name == "pacing":
                pacing = await pacing_table(self._engine, self._panel_book, campaign, completeness)
                self._panels[name] = json_table(*pacing, pacing_about(campaign, completeness))
            else:
                table, kinds = await self._panel(name, campaign, question, completeness.as_of_ms)
                self._panels[name] = json_table(*table, completeness.about(question.end_ms, kinds))
            spent = time.monotonic() - started
            self._due[name] = started + max(period, 10 * spent)

    async def close(self) -> None:
        """Ends what is still being asked."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _panel(
        self, name: str, campaign: KnownCampaign, question: Question, now: int
    ) -> tuple[Table, Iterable[str]]:
        """The panel's table and the kinds of events behind it."""
        if name == "funnel":
            return await funnel_table(self._pool, question, self._engine.cuts), FUNNEL_KINDS
        if name == "inventory":
            table = await inventory_table(self._pool, self._engine, campaign, question, now_ms=now, limit=20)
            return table, INVENTORY_KINDS
        dimension, names, limit = {
            "channels": ("channel", _CHANNELS, 12),
            "regions": ("region", _REGIONS, 40),
            "items": ("item_id", _ITEMS, 10),
        }[name]
        grouped = replace(question, group_by=dimension)
        table = await breakdown_table(
            self._engine, campaign, grouped, names, order_by="gmv", descending=True, limit=limit
        )
        return table, kinds_behind(names, grouped.dimensions)


def _pulse_table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"columns": ["time", "events", "orders_created", "orders_paid", "gmv", "paid_gmv"], "rows": rows}
