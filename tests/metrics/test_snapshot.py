"""What a second of the wall screen costs the store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.campaigns import Campaign
from services.common.clock import to_datetime
from services.common.store import Store, StorePool
from services.common.store.interface import Parameters, Row
from services.metrics.campaigns import CampaignBook
from services.metrics.snapshot import Snapshots
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
async def test_a_second_costs_two_statements_and_one_more_with_a_baseline(store: Store, baseline: bool) -> None:
    """Catches: a snapshot that asks question by question."""
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
    snapshots = Snapshots(campaign, pool, "CNY", lambda: NOW_MS)
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
        } <= set(tick.snapshot)
    await snapshots.close()
    await pool.close()
