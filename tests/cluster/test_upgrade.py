"""Migrations while ingest runs, on one server and on a cluster: nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from services.common.store import Store
from services.common.store import migrate as migrations
from services.common.store.migrate import Migration, load_migrations, migrate
from services.ingest.service import IngestService
from tests.ingest.harness import handled, produce, record, settings_for, traffic
from tests.support.audits import assert_clean
from tests.support.broker import Broker
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.store import fresh_campaign
from tests.support.waiting import until

OLDER = 8
"""A store that was last migrated then is one that ingest of today can write to, once it says how it names people."""

# What most migrations that touch a table under load do.
ADDED = Migration(
    9999,
    "added",
    (
        "ALTER TABLE traffic_events ADD COLUMN IF NOT EXISTS added String DEFAULT 'none'",
        "ALTER TABLE traffic_by_minute ADD COLUMN IF NOT EXISTS added SimpleAggregateFunction(sum, UInt64)",
        "ALTER TABLE traffic_events ADD INDEX IF NOT EXISTS added_index added TYPE set(10) GRANULARITY 1",
        "CREATE TABLE IF NOT EXISTS added_table (x UInt8) ENGINE = MergeTree ORDER BY x",
    ),
    "0",
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "shards", [pytest.param(0, id="server"), pytest.param(1, id="cluster", marks=pytest.mark.system)]
)
async def test_a_store_is_migrated_under_load(
    embedded_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    every = load_migrations()
    campaign = fresh_campaign("upgrade")
    with running_endpoint(tmp_path, shards=shards) as endpoint:
        store = endpoint.store()
        before = [*every[:OLDER], *(migration for migration in every if migration.name == "person_names")]
        monkeypatch.setattr(migrations, "load_migrations", lambda: before)
        assert len(await asyncio.to_thread(migrate, store)) == OLDER + 1
        monkeypatch.setattr(migrations, "load_migrations", lambda: [*every, ADDED])
        settings = settings_for(embedded_broker)
        service = IngestService(settings, store)
        stop = asyncio.Event()
        task = asyncio.create_task(service.run(stop))
        expected = acknowledged = 0
        try:
            await until(lambda: service.not_ready() is None, 60)
            migrating = asyncio.create_task(asyncio.to_thread(migrate, store))
            while not migrating.done() or expected < 400:
                portion = [
                    record("traffic", traffic(campaign, event_id=f"e{expected + n}", user_id=f"u{n}"))
                    for n in range(20)
                ]
                # Repeats, so that duplicates are asked about meanwhile.
                portion += portion[:2]
                try:
                    await produce(settings, portion)
                except KafkaError:
                    # A broker on a busy machine; sent again under the same ids.
                    await produce(settings, portion)
                acknowledged += len(portion)
                expected += 20
                if expected == 80:
                    endpoint.fail("answer_lost", on=r"(?i)^INSERT INTO \W*traffic_events", times=3)
            assert len(await migrating) == len(every) - len(before) + 1
            await until(lambda: handled(store, settings) >= acknowledged)
            await until(lambda: _events(store, campaign) >= expected)
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)
        (row,) = store.query(
            "SELECT count() AS n, uniqExact(event_id) AS ids, any(added) AS added FROM traffic_events "
            "WHERE campaign_id = {c:String}",
            {"c": campaign},
        )
        assert (row["n"], row["ids"], row["added"]) == (expected, expected, "none")
        (rollup,) = store.query(
            "SELECT sum(t.events) AS n FROM traffic_by_minute AS t WHERE campaign_id = {c:String} AND dimension = ''",
            {"c": campaign},
        )
        assert rollup["n"] == expected
        assert endpoint.failed() == 3
        await asyncio.to_thread(assert_clean, store, settings.topic_prefix, campaign=campaign)
        store.close()


def _events(store: Store, campaign: str) -> int:
    (row,) = store.query("SELECT count() AS n FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    return int(row["n"])
