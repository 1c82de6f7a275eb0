"""A million campaigns that nobody declared: whoever may send events may invent names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.alerts.collector import MOST_CAMPAIGNS, Collector
from services.common.clock import wall_clock
from services.common.query.engine import QueryEngine
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.common.store.migrate import migrate
from services.metrics.campaigns import MOST_LISTED, CampaignBook
from services.metrics.exporter import MOST_CAMPAIGNS as MOST_EXPORTED
from services.metrics.exporter import Exporter
from services.metrics.service import MetricsService
from tests.support.clickhouse_http.endpoint import running_endpoint

COUNT = 200_000
NOW = wall_clock()

_INVENT = """
INSERT INTO campaign_activity
SELECT
    toDate(fromUnixTimestamp64Milli({now:Int64})) AS day,
    concat('invented-', toString(number)) AS campaign_id,
    'traffic' AS kind,
    1 AS events,
    fromUnixTimestamp64Milli({now:Int64}) AS first_event,
    fromUnixTimestamp64Milli({now:Int64}) AS last_event,
    fromUnixTimestamp64Milli({now:Int64}) AS last_arrival
FROM numbers({count:UInt64})
"""
_REAL = """
INSERT INTO campaign_activity
SELECT today(), name, 'traffic', events, at, at, at
FROM
(
    SELECT
        arrayJoin([('declared', 1), ('large', 1000), ('alerted', 1)]) AS each,
        each.1 AS name,
        each.2 AS events,
        fromUnixTimestamp64Milli({now:Int64} - 60000) AS at
)
"""


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Store]:
    with running_endpoint(tmp_path / "clickhouse") as endpoint:
        store = endpoint.store()
        migrate(store)
        store.command(_INVENT, {"now": NOW, "count": COUNT})
        store.command(_REAL, {"now": NOW})
        yield store
        store.close()


async def test_the_rules_look_at_those_that_matter_and_everything_else_is_bounded(crowd: Store) -> None:
    pool = StorePool(crowd, threads=2, name="test")
    book = CampaignBook(pool, lambda: NOW, "CNY")
    body = {"name": "D", "start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
    await book.put("declared", body)

    scene = await Collector(pool, NOW).read(NOW, {"alerted"})
    assert len(scene.campaigns) == MOST_CAMPAIGNS
    assert {"declared", "large", "alerted"} <= scene.campaigns.keys()

    listed = await book.list()
    assert len(listed) == MOST_LISTED
    assert "declared" in {campaign.campaign_id for campaign in listed}

    await Exporter(pool, QueryEngine(pool), book, "CNY", lambda: NOW).refresh()
    transport = httpx.ASGITransport(build_app([MetricsService(Settings(), crowd, lambda: NOW, background=False)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        text = (await client.get("/metrics")).text
        campaigns = {
            line.split('campaign_id="')[1].split('"')[0] for line in text.splitlines() if 'campaign_id="' in line
        }
        assert len(campaigns) <= MOST_EXPORTED
        page = (await client.get("/api/v1/campaigns", params={"limit": "50"})).json()
        assert len(page["rows"]) == 50
        assert page["next_cursor"]
    await pool.close()
