"""Reads the scene from the store: what changes by the second every time, what is an hour long every few seconds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from services.alerts import queries
from services.alerts.scene import (
    Activity,
    CampaignScene,
    PartitionProgress,
    PipelineScene,
    Refunds,
    Scene,
    Series,
)
from services.alerts.shelf import Shelf, ShelfRow
from services.common.store import StorePool

RECENT_SECONDS = 180
HISTORY_SECONDS = 3600
HISTORY_GAP_SECONDS = 120
"""The last two minutes belong to no history: an incident must not become what it is held against."""
STEP_SECONDS = 15
REFUND_SECONDS = 60
REFUSED_SECONDS = 60

_ACTIVE_MS = 15 * 60_000
_HISTORY_EVERY_MS = 5_000
_STOCK_RECENT_SECONDS = 180
_STOCK_HOUR_EVERY_MS = 20_000
_STOCK_ALL_EVERY_MS = 600_000
_WRITING_MS = 15_000
_WRITING_SHARE = 0.005
_WRITING_LEAST = 20


@dataclass(slots=True)
class _History:
    """The hour of one campaign as last read."""

    channels: dict[str, Series] = field(default_factory=dict)
    whole: Series = field(default_factory=lambda: _empty(0))
    occupied: Series = field(default_factory=lambda: _empty(0))
    refunds: dict[str, int] = field(default_factory=dict)
    items: int = 0
    writing_until: int = 0


def _empty(start: int) -> Series:
    return Series(start, STEP_SECONDS, np.zeros(HISTORY_SECONDS // STEP_SECONDS, dtype=np.int64))


class Collector:
    """One reader of scenes. Remembers between reads what is too dear to read every second.

    `watching_since` is the moment of its birth, in epoch milliseconds.
    """

    def __init__(self, pool: StorePool, watching_since: int) -> None:
        self._pool = pool
        self._since = watching_since
        self._shelf = Shelf()
        self._histories: dict[str, _History] = {}
        self._ends: dict[str, int] = {}
        self._history_at = 0
        self._history_of: set[str] = set()
        self._stock_hour_at = 0
        self._stock_all_at = 0
        self._stock_of: set[str] = set()
        self._offsets: deque[tuple[int, dict[str, int]]] = deque()

    async def read(self, now: int, also: Collection[str] = ()) -> Scene:
        """The scene at `now`: campaigns with recent arrivals, and those named by `also`.

        Raises `StoreError`.
        """
        progress, activity = await asyncio.gather(
            self._pool.query(queries.PROGRESS), self._pool.query(queries.ACTIVITY)
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
            if campaign in also or now - max(kind.last_arrival for kind in seen.values()) <= _ACTIVE_MS
        )
        if not ids:
            return Scene(now, pipeline, {})
        await self._refresh_history(now, ids)
        recent, refunds, _ = await asyncio.gather(
            self._recent(now, ids), self._refunds(now, ids), self._refresh_stock(now, ids)
        )
        watermark = pipeline.watermark or 0
        scenes = {}
        for campaign in ids:
            history = self._histories[campaign]
            channels, whole = recent[campaign]
            scenes[campaign] = CampaignScene(
                campaign_id=campaign,
                now=now,
                watermark=watermark,
                activity=kinds[campaign],
                end=self._ends.get(campaign),
                recent=channels,
                recent_all=whole,
                history=history.channels,
                history_all=history.whole,
                history_occupied=history.occupied,
                stock=self._shelf.levels(campaign, now),
                refunds=Refunds(refunds.get(campaign, {}), history.refunds, history.items),
                writing_history=now < history.writing_until,
            )
        return Scene(now, pipeline, scenes)

    async def with_live_seconds(self, scene: CampaignScene) -> CampaignScene:
        """The scene with `live_seconds` read. Raises `StoreError`."""
        rows = await self._pool.query(
            queries.LIVE_SECONDS,
            {"id": scene.campaign_id, "from": scene.last_event - 60_000, "to": scene.last_event},
        )
        return replace(scene, live_seconds=int(rows[0]["seconds"]))

    async def _pipeline(self, now: int, progress: list[PartitionProgress]) -> PipelineScene:
        offsets: dict[str, int] = {}
        for part in progress:
            offsets[part.topic] = offsets.get(part.topic, 0) + part.next_offset
        while self._offsets and self._offsets[0][0] < now - REFUSED_SECONDS * 1000:
            self._offsets.popleft()
        self._offsets.append((now, offsets))
        since, before = self._offsets[0]
        seconds = (now - since) // 1000
        refused = await self._pool.query(queries.REFUSED, {"from": since})
        consumed = {topic: max(0, offset - before.get(topic, 0)) for topic, offset in offsets.items()}
        return PipelineScene(
            now=now,
            watching_since=self._since,
            progress=progress,
            refused={row["topic"]: row["records"] for row in refused},
            refused_seconds=seconds,
            consumed=consumed if seconds >= 10 else None,
        )

    async def _recent(self, now: int, ids: Sequence[str]) -> dict[str, tuple[dict[str, Series], Series]]:
        end = now // 1000 + 1
        start = end - RECENT_SECONDS
        table = await self._pool.query_arrow(queries.PULSE, {"ids": list(ids), "from": start, "to": end})
        found: dict[str, tuple[dict[str, Series], Series]] = {
            campaign: ({}, Series(start, 1, np.zeros(RECENT_SECONDS, dtype=np.int64))) for campaign in ids
        }
        for row in _rows(table):
            channels, whole = found[row["campaign_id"]]
            index = row["second"] - start
            whole.counts[index] += row["traffic"] + row["orders"]
            if row["traffic"]:
                series = channels.get(row["channel"])
                if series is None:
                    series = channels[row["channel"]] = Series(start, 1, np.zeros(RECENT_SECONDS, dtype=np.int64))
                series.counts[index] += row["traffic"]
        return found

    async def _refunds(self, now: int, ids: Sequence[str]) -> dict[str, dict[str, list[tuple[int, int]]]]:
        rows = await self._pool.query(
            queries.REFUNDS_RECENT,
            {"ids": list(ids), "from": now - REFUND_SECONDS * 1000, "to": now + 1000},
        )
        found: dict[str, dict[str, list[tuple[int, int]]]] = {}
        for row in rows:
            points = found.setdefault(row["campaign_id"], {}).setdefault(row["item_id"], [])
            points.append((row["second"], row["refunds"]))
        return found

    async def _refresh_history(self, now: int, ids: Sequence[str]) -> None:
        if now - self._history_at < _HISTORY_EVERY_MS and self._history_of.issuperset(ids):
            return
        # Whole buckets of the epoch, so that two reads can be compared bucket by bucket.
        end = (now // 1000 - HISTORY_GAP_SECONDS) // STEP_SECONDS * STEP_SECONDS
        start = end - HISTORY_SECONDS
        span = {"ids": list(ids), "from": start, "to": end}
        pulse, occupied, refunds, ends = await asyncio.gather(
            self._pool.query_arrow(queries.PULSE_HISTORY, {**span, "step": STEP_SECONDS}),
            self._pool.query_arrow(queries.PULSE_OCCUPIED, {**span, "step": STEP_SECONDS}),
            self._pool.query_arrow(queries.REFUNDS_HOUR, {**span, "from": start // 60 * 60, "to": end // 60 * 60}),
            self._pool.query(queries.CAMPAIGN_ENDS),
        )
        histories = {campaign: _History(whole=_empty(start), occupied=_empty(start)) for campaign in ids}
        for row in _rows(pulse):
            history = histories[row["campaign_id"]]
            history.whole.counts[row["bucket"]] += row["traffic"] + row["orders"]
            if row["traffic"]:
                history.channels.setdefault(row["channel"], _empty(start)).counts[row["bucket"]] += row["traffic"]
        for row in _rows(occupied):
            histories[row["campaign_id"]].occupied.counts[row["bucket"]] = row["occupied"]
        for row in _rows(refunds):
            history = histories[row["campaign_id"]]
            history.items += 1
            if row["refunds"]:
                history.refunds[row["item_id"]] = row["refunds"]
        for campaign, history in histories.items():
            history.writing_until = _writing_until(self._histories.get(campaign), history, now)
        self._histories = histories
        self._history_at = now
        self._history_of = set(ids)
        self._ends = {row["campaign_id"]: row["end"] for row in ends if row["end"] > 0}

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


def _writing_until(before: _History | None, history: _History, now: int) -> int:
    """Until when the history counts as being written: it has grown, since the last read, where both reads look."""
    if before is None:
        return now + _HISTORY_EVERY_MS
    old, new = before.whole, history.whole
    start, end = max(old.start, new.start), min(old.end, new.end)
    grown = int(new.between(start, end).sum() - old.between(start, end).sum())
    if grown > max(_WRITING_LEAST, _WRITING_SHARE * int(new.counts.sum())):
        return now + _WRITING_MS
    return before.writing_until


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
