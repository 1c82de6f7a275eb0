"""Reads the scene from the store: what changes by the second every time, what is an hour long every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from schemas.campaigns import Campaign
from services.alerts import queries
from services.alerts.activity import ACTIVITY
from services.alerts.history import (
    HISTORY_SECONDS,
    LATELY_SECONDS,
    REFRESH_MS,
    STEP_SECONDS,
    History,
    Orders,
    empty_series,
    history_span,
    writing_until,
)
from services.alerts.plan import Plan, plan_of
from services.alerts.pulse import Pulse, pulses
from services.alerts.readings.asks import Ask, Curve
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.reader import Reader, Wanted
from services.alerts.readings.seconds import Seconds, SecondsReading, read_seconds
from services.alerts.readings.suspects import BatchSearch, Search
from services.alerts.readings.watch import Watch, Watched
from services.alerts.scene import (
    Activity,
    CampaignScene,
    PartitionProgress,
    PipelineScene,
    Refund,
    Scene,
    Sold,
    refunds_by_item,
)
from services.alerts.series import zeros
from services.alerts.shelf import Shelf, ShelfRow
from services.common import prometheus
from services.common.store import StorePool

logger = logging.getLogger(__name__)

RECENT_SECONDS = 180
REFUND_SECONDS = 60
REFUSED_SECONDS = 60

SOLD_MINUTES = 15

_SOLD_EVERY_MS = 5_000
_ACTIVE_MS = 15 * 60_000
MOST_CAMPAIGNS = 500
"""So many are judged at a time; a look at them all still takes less than the time between two."""
_STOCK_RECENT_SECONDS = 180
_STOCK_HOUR_EVERY_MS = 20_000
_STOCK_ALL_EVERY_MS = 600_000


Asking = Callable[[int, Plan | None], Collection[Inquiry]]
"""What is to be read of a campaign with that plan, at a moment in epoch milliseconds."""


class Collector:
    """One reader of scenes. Remembers between reads what is too dear to read every second.

    `watching_since` is the moment of its birth, in epoch milliseconds. `asking` says which metrics rules look at.
    """

    def __init__(self, pool: StorePool, watching_since: int, asking: Asking = lambda now, plan: ()) -> None:
        self._asking = asking
        self._reader = Reader(pool)
        self._watch = Watch(pool)
        self._pool = pool
        self._since = watching_since
        self._shelf = Shelf()
        self._histories: dict[str, History] = {}
        self._plans: dict[str, tuple[int, Plan]] = {}
        self._history_at = 0
        self._history_of: set[str] = set()
        self._sold: dict[str, dict[str, Sold]] = {}
        self._sold_at = 0
        self._stock_hour_at = 0
        self._stock_all_at = 0
        self._stock_of: set[str] = set()
        self._live_seconds: dict[str, tuple[int, int]] = {}
        self._refused_at = 0
        self._refused: dict[str, int] = {}
        self._full = False
        self._offsets: deque[tuple[int, dict[str, int]]] = deque()

    async def read(self, now: int, also: Collection[str] = ()) -> Scene:
        """The scene at `now`: campaigns with recent arrivals, and those named by `also`.

        Raises `StoreError`.
        """
        # The watermark first: all that it promises is then in what is read after it.
        progress = await self._pool.query(queries.PROGRESS)
        named = sorted(also)[:MOST_CAMPAIGNS]
        activity = await self._pool.query(
            ACTIVITY, {"active_since": now - _ACTIVE_MS, "also": named, "most": MOST_CAMPAIGNS}
        )
        pipeline = await self._pipeline(now, [_progress(row) for row in progress])
        kinds: dict[str, dict[str, Activity]] = {}
        for row in activity:
            kinds.setdefault(row["campaign_id"], {})[row["kind"]] = Activity(
                row["events"], row["first_event"], row["last_event"], row["last_arrival"]
            )
        ids = sorted(
            campaign
            for campaign, seen in kinds.items()
            if campaign in named or now - max(kind.last_arrival for kind in seen.values()) <= _ACTIVE_MS
        )
        self._tell_full(len(ids))
        if not ids:
            return Scene(now, pipeline, {})
        await self._refresh_history(now, ids)
        recent, refunds, _, _ = await asyncio.gather(
            self._recent(now, ids), self._refunds(now, ids), self._refresh_stock(now, ids), self._refresh_sold(now, ids)
        )
        watermark = pipeline.watermark or 0
        plans = {campaign: self._with_baseline(known[1], kinds) for campaign, known in self._plans.items()}
        asked = {campaign: self._asking(now, plans.get(campaign)) for campaign in ids}
        wanted = {
            campaign: Wanted(
                [one for one in asked[campaign] if isinstance(one, Ask | Curve)],
                plans.get(campaign),
            )
            for campaign in ids
        }
        watched = {
            campaign: Watched(
                [one for one in asked[campaign] if isinstance(one, Search | BatchSearch)],
                {name: kind.last_arrival for name, kind in kinds[campaign].items()},
            )
            for campaign in ids
        }
        answered, seconds, found = await asyncio.gather(
            self._reader.read(now, watermark, wanted), self._seconds(now, asked), self._watch.read(now, watched)
        )
        scenes = {}
        for campaign in ids:
            plan = plans.get(campaign)
            pulse = recent[campaign]
            scenes[campaign] = CampaignScene(
                campaign_id=campaign,
                now=now,
                watermark=watermark,
                activity=kinds[campaign],
                end=None if plan is None else plan.end_ms,
                recent=pulse.traffic,
                recent_paid=pulse.paid,
                recent_all=pulse.whole,
                recent_refunds=refunds_by_item(refunds[campaign]),
                refunds=refunds[campaign],
                history=self._histories[campaign],
                stock=self._shelf.levels(campaign, now),
                sold=self._sold.get(campaign, {}),
                plan=plan,
                readings=answered[campaign].readings,
                curves=answered[campaign].curves,
                seconds=seconds[campaign],
                suspects=found[campaign].suspicions,
                batches=found[campaign].batches,
            )
        return Scene(now, pipeline, scenes)

    def _tell_full(self, count: int) -> None:
        prometheus.ALERT_CAMPAIGNS.set(count)
        full = count >= MOST_CAMPAIGNS
        if full and not self._full:
            logger.warning("more campaigns are active than are judged", extra={"judged": count})
        self._full = full

    async def with_live_seconds(self, scene: CampaignScene) -> CampaignScene:
        """The scene with `live_seconds` read. Raises `StoreError`."""
        known = self._live_seconds.get(scene.campaign_id)
        # It is about what came before the last arrival, and stays as it is until the next one.
        if known is None or known[0] != scene.last_arrival:
            # A clock that runs ahead must not carry the minute into the future.
            newest = min(scene.last_event, scene.last_arrival)
            rows = await self._pool.query(
                queries.LIVE_SECONDS,
                {"id": scene.campaign_id, "from": newest - 60_000, "to": newest},
            )
            known = self._live_seconds[scene.campaign_id] = scene.last_arrival, int(rows[0]["seconds"])
        return replace(scene, live_seconds=known[1])

    def _with_baseline(self, plan: Plan, kinds: Mapping[str, Mapping[str, Activity]]) -> Plan:
        """The plan with the start of its baseline: as declared, else its first event."""
        name = plan.baseline_campaign_id
        if name is None:
            return plan
        if name in self._plans:
            return replace(plan, baseline_start_ms=self._plans[name][1].start_ms)
        if name in kinds:
            return replace(plan, baseline_start_ms=min(kind.first_event for kind in kinds[name].values()))
        return plan

    async def _pipeline(self, now: int, progress: list[PartitionProgress]) -> PipelineScene:
        offsets: dict[str, int] = {}
        for part in progress:
            offsets[part.topic] = offsets.get(part.topic, 0) + part.next_offset
        while self._offsets and self._offsets[0][0] < now - REFUSED_SECONDS * 1000:
            self._offsets.popleft()
        self._offsets.append((now, offsets))
        since, before = self._offsets[0]
        seconds = (now - since) // 1000
        if now - self._refused_at >= REFRESH_MS:
            rows = await self._pool.query(queries.REFUSED, {"from": since})
            self._refused_at, self._refused = now, {row["topic"]: row["records"] for row in rows}
        consumed = {topic: max(0, offset - before.get(topic, 0)) for topic, offset in offsets.items()}
        return PipelineScene(
            now=now,
            watching_since=self._since,
            progress=progress,
            refused=self._refused,
            refused_seconds=seconds,
            consumed=consumed if seconds >= 10 else None,
        )

    async def _recent(self, now: int, ids: Sequence[str]) -> dict[str, Pulse]:
        end = now // 1000 + 1
        start = end - RECENT_SECONDS
        table = await self._pool.query_arrow(queries.PULSE, {"ids": list(ids), "from": start, "to": end})
        return pulses(table, ids, lambda: zeros(start, 1, RECENT_SECONDS), first=start)

    async def _refunds(self, now: int, ids: Sequence[str]) -> dict[str, list[Refund]]:
        rows = await self._pool.query(
            queries.REFUNDS_RECENT,
            {"ids": list(ids), "from": now - REFUND_SECONDS * 1000, "to": now + 1000},
        )
        found: dict[str, list[Refund]] = {campaign: [] for campaign in ids}
        for row in rows:
            refund = Refund(row["second"], row["channel"], tuple(row["items"]), row["refunds"])
            found[row["campaign_id"]].append(refund)
        return found

    async def _seconds(
        self, now: int, asked: Mapping[str, Collection[Inquiry]]
    ) -> dict[str, dict[Seconds, SecondsReading]]:
        campaigns: dict[Seconds, list[str]] = {}
        for campaign, inquiries in asked.items():
            for one in inquiries:
                if isinstance(one, Seconds):
                    campaigns.setdefault(one, []).append(campaign)
        answers = await asyncio.gather(*(read_seconds(self._pool, now, one, ids) for one, ids in campaigns.items()))
        found: dict[str, dict[Seconds, SecondsReading]] = {campaign: {} for campaign in asked}
        for one, by_campaign in zip(campaigns, answers, strict=True):
            for campaign, reading in by_campaign.items():
                found[campaign][one] = reading
        return found

    async def _refresh_history(self, now: int, ids: Sequence[str]) -> None:
        if now - self._history_at < REFRESH_MS and self._history_of.issuperset(ids):
            return
        start, end = history_span(now)
        span = {"ids": list(ids), "from": start, "to": end}
        pulse, occupied, refunds, declared = await asyncio.gather(
            self._pool.query_arrow(queries.PULSE_HISTORY, {**span, "step": STEP_SECONDS}),
            self._pool.query_arrow(queries.PULSE_OCCUPIED, {**span, "step": STEP_SECONDS}),
            self._pool.query_arrow(
                queries.REFUNDS_HOUR,
                {**span, "from": start // 60 * 60, "to": end // 60 * 60, "lately": end // 60 * 60 - LATELY_SECONDS},
            ),
            self._pool.query(queries.CAMPAIGNS),
        )
        hours = pulses(pulse, ids, lambda: empty_series(start))
        seconds = {campaign: empty_series(start) for campaign in ids}
        for row in _rows(occupied):
            seconds[row["campaign_id"]].counts[row["bucket"]] = row["occupied"]
        returned: dict[str, dict[str, int]] = {campaign: {} for campaign in ids}
        before: dict[str, dict[str, Orders]] = {campaign: {} for campaign in ids}
        for row in _rows(refunds):
            returned[row["campaign_id"]][row["item_id"]] = row["refunds"]
            before[row["campaign_id"]][row["item_id"]] = Orders(row["paid_before"], row["refunded_before"])
        self._histories = {
            campaign: History(
                whole=hour.whole,
                occupied=seconds[campaign],
                channels=hour.traffic,
                paid=hour.paid,
                refunds={item: count for item, count in returned[campaign].items() if count},
                items=len(returned[campaign]),
                before={item: orders for item, orders in before[campaign].items() if any(orders)},
                writing_until=writing_until(self._histories.get(campaign), hour.whole, now),
            )
            for campaign, hour in hours.items()
        }
        self._history_at = now
        self._history_of = set(ids)
        for row in declared:
            self._declare(row["campaign_id"], row["latest"], row["declared"])

    def _declare(self, campaign_id: str, version: int, body: str) -> None:
        known = self._plans.get(campaign_id)
        if known is not None and known[0] == version:
            return
        try:
            self._plans[campaign_id] = version, plan_of(Campaign.model_validate_json(body))
        except ValidationError as error:
            # The API refuses such a body; a row that somebody wrote by hand must not stop the other campaigns' rules.
            logger.warning("campaign not understood", extra={"campaign_id": campaign_id, "errors": error.error_count()})

    async def _refresh_sold(self, now: int, ids: Sequence[str]) -> None:
        if now - self._sold_at < _SOLD_EVERY_MS and self._sold.keys() >= set(ids):
            return
        # The present minute counts as far as it has come.
        start = (now // 60_000 - SOLD_MINUTES + 1) * 60
        second = now // 1000
        span = {"from": start, "present": second // 60 * 60, "to": second + 1}
        table = await self._pool.query_arrow(queries.SOLD, {"ids": list(ids), **span})
        found: dict[str, dict[str, Sold]] = {campaign: {} for campaign in ids}
        for row in _rows(table):
            numbers = (row["orders"], row["busiest"], row["present_orders"], second % 60)
            found[row["campaign_id"]][row["item_id"]] = Sold(row["units"], row["amount"], second - start, *numbers)
        self._sold, self._sold_at = found, now

    async def _refresh_stock(self, now: int, ids: Sequence[str]) -> None:
        new = not self._stock_of.issuperset(ids)
        if new or now - self._stock_all_at >= _STOCK_ALL_EVERY_MS:
            since, self._stock_all_at, self._stock_hour_at = 0, now, now
        elif now - self._stock_hour_at >= _STOCK_HOUR_EVERY_MS:
            since, self._stock_hour_at = now // 1000 - HISTORY_SECONDS - 900, now
        else:
            since = now // 1000 - _STOCK_RECENT_SECONDS
        table = await self._pool.query_arrow(queries.STOCK, {"ids": list(ids), "from": since // 60 * 60})
        self._shelf.forget(ids)
        self._shelf.put((_shelf_row(row) for row in _rows(table)), now)
        self._stock_of = set(ids)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _progress(row: Mapping[str, Any]) -> PartitionProgress:
    return PartitionProgress(
        row["topic"],
        row["kafka_partition"],
        row["next_offset"],
        row["end_offset"],
        row["watermark"],
        row["updated_at"],
    )


def _shelf_row(row: Mapping[str, Any]) -> ShelfRow:
    return ShelfRow(
        row["campaign_id"],
        row["item_id"],
        row["warehouse_id"],
        row["newest_minute"],
        row["available"],
        row["safety_stock"] if row["safety_stock"] >= 0 else None,
    )
