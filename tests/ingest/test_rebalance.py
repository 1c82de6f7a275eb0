"""Members of the group come and go under load."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

from services.common import prometheus
from services.common.store import Store
from tests.ingest.harness import (
    handled,
    produce,
    progress,
    record,
    running,
    settings_for,
    told_otherwise,
    traffic,
    until_handled,
)
from tests.support.audits import assert_clean
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until


async def test_members_join_and_leave_under_load(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    rng = random.Random(3)
    settings = settings_for(broker, topic_partitions=3, batch_max_rows=400, batch_max_age_ms=50)
    events = [traffic(campaign, user_id=f"u{rng.randrange(200)}") for _ in range(9_000)]
    records = [record("traffic", event) for event in events]
    for number in range(900):
        at = rng.randrange(len(records))
        again = records[at] if number % 2 else told_otherwise(records[at])
        records.insert(rng.randrange(at + 1, len(records) + 1), again)

    async def feed() -> None:
        for start in range(0, len(records), 300):
            await produce(settings, records[start : start + 300])
            await asyncio.sleep(0.1)

    async with running(settings, store):
        feeding = asyncio.create_task(feed())
        await until(lambda: handled(store, settings) > 300)
        async with AsyncExitStack() as guests:
            await guests.enter_async_context(running(settings, store))
            await guests.enter_async_context(running(settings, store))
            before = handled(store, settings)
            await until(lambda: handled(store, settings) > min(before + 600, len(records) - 1))
        await feeding
        await until_handled(store, settings, records, 60)
    counts = Counter(
        row["event_id"]
        for row in store.query("SELECT event_id FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    )
    assert set(counts) == {event["event_id"] for event in events}
    assert max(counts.values()) == 1
    report = assert_clean(store, settings.topic_prefix, campaign=campaign)
    assert sum(lane.records for lane in report.lanes) == len(records)
    assert all(row["next_offset"] == row["end_offset"] for row in progress(store, settings).values())


async def test_an_orderly_stop_writes_what_is_fetched_and_leaves_nothing_to_replay(
    broker: KafkaServer, store: Store
) -> None:
    campaign = fresh_campaign("ingest")
    # Blocks that never come of age by themselves: only the stop can make them be written.
    settings = settings_for(broker, batch_max_age_ms=60_000)
    records = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(300)]

    def rows() -> int:
        found = store.query("SELECT count() AS n FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
        return int(found[0]["n"])

    before = _consumed()
    async with running(settings, store):
        await produce(settings, records)
        await until(lambda: _consumed() == before + len(records))
        assert rows() == 0
    assert rows() == len(records)
    assert handled(store, settings) == len(records)


def _consumed() -> float:
    (family,) = prometheus.INGEST_RECORDS.collect()
    return sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
