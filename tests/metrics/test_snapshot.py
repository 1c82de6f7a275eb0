"""What a second of the wall screen costs the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from schemas.campaigns import Campaign
from services.common.clock import to_datetime
from services.common.query import folds
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.common.store.interface import Parameters, Row
from services.metrics import snapshot
from services.metrics.campaigns import CampaignBook
from services.metrics.snapshot import Snapshots
from services.metrics.wall.lens import Lens
from tests.metrics.conftest import NOW_MS
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

NOW = to_datetime(NOW_MS)


class Counted(StorePool):
    """Counts the statements that reach the store."""

    statements = 0

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        self.statements += 1
        return await super().query(sql, parameters)


@pytest.mark.parametrize("baseline", [False, True])
async def test_a_second_costs_two_statements_and_one_more_with_a_baseline(
    store: Store, baseline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: a snapshot that asks question by question."""
    # How far folding came is read about once a second, which a slow machine would pass here.
    monkeypatch.setattr(folds, "_CUT_SECONDS", 600.0)
    campaign, other = fresh_campaign("snapshot"), fresh_campaign("before")
    pool = Counted(store, threads=2, name="test")
    book = CampaignBook(pool, lambda: NOW_MS, "CNY")
    for name in (campaign, other):
        body = {
            **Campaign.model_config["json_schema_extra"]["example"],  # type: ignore[index,dict-item]
            "start": (NOW - timedelta(hours=1)).isoformat(),
            "end": (NOW + timedelta(hours=1)).isoformat(),
            "phases": [
                {"name": "warm-up", "start": (NOW - timedelta(hours=1)).isoformat(), "end": NOW.isoformat()},
            ],
            "targets": {"total": {"gmv": 10}, "phases": {"warm-up": {"gmv": 5}}},
            "budgets": {},
            "baseline_campaign_id": other if baseline and name == campaign else None,
        }
        await book.put(name, {key: value for key, value in body.items() if value is not None})
        order = {
            "event_name": "order_created",
            "event_time": NOW - timedelta(seconds=20),
            "campaign_id": name,
            "user_id": "u",
            "channel": "app",
            "value": money(1050),
        }
        insert_rows(store, "order_events", [order])
    snapshots = Snapshots(Lens(campaign), pool, Settings(), lambda: NOW_MS)
    first = await snapshots.tick()
    assert snapshots._refreshing is not None
    await snapshots._refreshing
    # Panels are asked by their own clock; not now.
    snapshots._due = dict.fromkeys(snapshots._due, float("inf"))
    before = pool.statements
    second = await snapshots.tick()
    assert pool.statements - before == 2 + baseline
    for tick in (first, second):
        assert tick.as_of_ms == NOW_MS
        assert tick.snapshot["overview"]["metrics"]["gmv"] == "10.50"
        assert (tick.snapshot["overview"]["baseline"] is not None) == baseline
        assert [row["gmv"] for row in tick.snapshot["pulse"]["rows"]] == ["10.50"]
        assert {
            "campaign",
            "overview",
            "pulse",
            "alerts",
            "channels",
            "funnel",
            "items",
            "inventory",
            "regions",
            "ladder",
            "day",
            "lens",
        } <= set(tick.snapshot)
    await snapshots.close()
    await pool.close()


async def test_numbers_through_a_filter_that_take_long_hold_no_second_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: a screen that looks stale, or a store that does nothing else, because of one filter."""
    monkeypatch.setattr(snapshot, "_PATIENCE_SECONDS", 0.01)
    campaign = fresh_campaign("slow")
    rows = [
        {"event_name": "order_created", "event_time": NOW - timedelta(minutes=2), "campaign_id": campaign,
         "user_id": "u", "channel": channel, "value": money(cents)}
        for channel, cents in (("app", 100), ("web", 1000))
    ]  # fmt: skip
    insert_rows(store, "order_events", rows)
    held = asyncio.Event()
    asked = 0

    class Held(StorePool):
        """Keeps what is asked about the seconds back."""

        async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
            nonlocal asked
            if "pulse_by_second" in sql:
                asked += 1
                if asked > 1:
                    await held.wait()
            return await super().query(sql, parameters)

    pool = Held(store, threads=2, name="test")
    snapshots = Snapshots(Lens.of(campaign, {"channel": ("app",)}), pool, Settings(), lambda: NOW_MS)
    for _ in range(4):
        told = (await asyncio.wait_for(snapshots.tick(), 60)).snapshot
        assert told["overview"]["metrics"]["gmv"] == "1.00"
        # It rests for four times as long as it took, which is nothing here.
        snapshots._asked_again = 0.0
    assert asked == 2
    held.set()
    while asked == 2:
        await snapshots.tick()
        snapshots._asked_again = 0.0
    await snapshots.close()
    await pool.close()


async def test_the_curve_of_a_campaign_that_is_long_over_ends_with_it(store: Store) -> None:
    """Catches: a day drawn as one point of a year, because the curve reached until now."""
    campaign = fresh_campaign("over")
    pool = StorePool(store, threads=2, name="test")
    start = (NOW - timedelta(days=300)).replace(second=0, microsecond=0)
    declared = {"name": "Over", "start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
    await CampaignBook(pool, lambda: NOW_MS, "CNY").put(campaign, declared)
    for minutes, cents in ((1, 1000), (119, 250), (500, 99)):
        order = {
            "event_name": "order_created",
            "event_time": start + timedelta(minutes=minutes),
            "campaign_id": campaign,
            "user_id": "u",
            "value": money(cents),
        }
        insert_rows(store, "order_events", [order])
    snapshots = Snapshots(Lens(campaign), pool, Settings(), lambda: NOW_MS)
    await snapshots.tick()
    assert snapshots._refreshing is not None
    await snapshots._refreshing
    curve = (await snapshots.tick()).snapshot["day"]
    assert (curve["interval"], len(curve["rows"])) == ("1m", 120)
    sold = {number: row["gmv"] for number, row in enumerate(curve["rows"]) if row["gmv"] not in (None, "0.00")}
    assert sold == {1: "10.00", 119: "2.50"}
    await snapshots.close()
    await pool.close()
