"""Ingest is cut off at any moment, again and again: nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from services.common.store import Store
from services.ingest.service import IngestService
from tests.ingest.harness import (
    produce,
    read_letters,
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


async def test_cut_off_at_random_moments(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    rng = random.Random(11)
    settings = settings_for(broker, batch_max_rows=700, batch_max_age_ms=50)
    events = [traffic(campaign, user_id=f"u{rng.randrange(100)}") for _ in range(12_000)]
    records = [record("traffic", event) for event in events]
    for number in range(1500):
        at = rng.randrange(len(records))
        # A repeat may claim another time than the first; it counts for nothing all the same.
        again = records[at] if number % 2 else told_otherwise(records[at])
        records.insert(rng.randrange(at + 1, len(records) + 1), again)
    garbage = 0
    for _ in range(300):
        records.insert(rng.randrange(len(records)), ("traffic", b"g%d" % garbage, b"{%d" % garbage))
        garbage += 1

    async def feed() -> None:
        for start in range(0, len(records), 500):
            await produce(settings, records[start : start + 500])

    feeding = asyncio.create_task(feed())
    for _ in range(8):
        service = IngestService(settings, store)
        task = asyncio.create_task(service.run(asyncio.Event()))
        await asyncio.sleep(rng.uniform(0.3, 2.0))
        # Not an orderly stop: nothing is flushed, and inserts that run go on running beside the successor's.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await feeding
    async with running(settings, store):
        await until_handled(store, settings, records)

    rows = store.query(
        "SELECT event_id, toString(event_time) AS at FROM traffic_events WHERE campaign_id = {c:String}",
        {"c": campaign},
    )
    counts = Counter(row["event_id"] for row in rows)
    assert set(counts) == {event["event_id"] for event in events}
    assert not [row for row in rows if row["at"].startswith("2026-01-01")]
    assert max(counts.values()) == 1
    (rollup,) = store.query(
        "SELECT sum(events) AS events FROM traffic_by_minute WHERE campaign_id = {c:String} AND dimension = ''",
        {"c": campaign},
    )
    assert rollup["events"] == len(events)
    letters = Counter(key for key, _ in await read_letters(settings))
    assert letters == Counter({b"g%d" % number: 1 for number in range(garbage)})
    (dead,) = store.query(
        "SELECT count() AS n, uniqExact(kafka_partition, kafka_offset) AS u FROM dead_letters"
        " WHERE startsWith(topic, {p:String})",
        {"p": settings.topic_prefix},
    )
    assert (dead["n"], dead["u"]) == (garbage, garbage)
    report = assert_clean(store, settings.topic_prefix, campaign=campaign)
    assert sum(lane.records for lane in report.lanes) == len(records)
