"""kill -9 under load: nothing lost, nothing doubled, whatever was on its way."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.support.audits import ask_for_audit
from tests.support.kafka import ApacheKafka
from tests.support.traffic import Load
from tests.support.war_room import WarRoom, wait_until, war_room_in

CAMPAIGN = "kill"
KILLS = 5
CAUGHT_UP_SECONDS = 120.0


@pytest.fixture(params=["embedded", pytest.param("apache", marks=pytest.mark.system)])
def war_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WarRoom]:
    """An empty system that is ready, on its own broker or on the Apache Kafka that it is pointed at."""
    kafka: ApacheKafka | None = request.getfixturevalue("kafka") if request.param == "apache" else None
    env = {"WARROOM_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers} if kafka else {}
    with war_room_in(tmp_path / "warroom", kafka_port=kafka.port if kafka else None, env=env) as room:
        room.start()
        assert bool(room.brokers()) == (kafka is None)
        yield room


@pytest.mark.timeout(400)
def test_killed_under_load_it_loses_and_doubles_nothing(war_room: WarRoom) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    with Load(war_room.kafka, CAMPAIGN, seed) as load:
        for _ in range(KILLS):
            time.sleep(moments.uniform(0.3, 2.5))
            war_room.kill()
            time.sleep(moments.uniform(0, 0.3))
            war_room.launch()
            # Now and then it is killed again before it has caught up, or even before it is ready.
            if moments.random() < 0.7:
                war_room.wait_ready()
            else:
                time.sleep(moments.uniform(0.2, 1.5))
        war_room.wait_ready()
        time.sleep(1)
    sent = load.sent
    assert sent.page_views > 1000

    wait_until(lambda: asyncio.run(lag(war_room.kafka)) == 0, CAUGHT_UP_SECONDS, "reading all that was sent")
    check(war_room, load)
    # Once more after an orderly restart: what was only remembered in memory would show now.
    war_room.restart()
    check(war_room, load)
    letters = asyncio.run(dead_letters(war_room.kafka))
    assert set(letters) == sent.refused
    rows = get(war_room, "/api/v1/dead-letters", limit=1000)["rows"]
    assert {(row["topic"], row["partition"], row["offset"]) for row in rows} == sent.refused
    war_room.stop()


def check(war_room: WarRoom, load: Load) -> None:
    """Rollups, raw events and distinct counts alike say what was sent."""
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    base = f"/api/v1/campaigns/{CAMPAIGN}"
    metrics = get(war_room, f"{base}/overview", **period)["metrics"]
    told = {name: metrics[name] for name in ("pv", "uv", "orders_created")}
    assert told == {"pv": load.sent.page_views, "uv": len(load.sent.visitors), "orders_created": load.sent.orders}
    assert Decimal(metrics["gmv"]) == load.sent.gmv
    rows = get(war_room, f"{base}/breakdown", dimension="channel", metrics="pv", **period)["rows"]
    assert {row["channel"]: row["pv"] for row in rows if row["pv"]} == load.sent.by_channel
    report = ask_for_audit(war_room.url)
    assert report["clean"], report
    assert sum(partition["rows"] for partition in report["partitions"]) == load.sent.page_views + load.sent.orders
    funnel = get(war_room, f"{base}/funnel", **period)["rows"]
    assert funnel[0]["users"] == len(load.sent.visitors)


def get(war_room: WarRoom, path: str, **parameters: Any) -> Any:
    """An answer's JSON."""
    answer = httpx.get(war_room.url + path, params=parameters, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lag(bootstrap_servers: str) -> int:
    """How many records the ingest group has not committed yet."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await admin.start()
    await consumer.start()
    try:
        committed = await admin.list_consumer_group_offsets("warroom-ingest")
        partitions = [TopicPartition(topic, 0) for topic in ("campaign.traffic", "campaign.orders")]
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
        await admin.close()
    return sum(end - (committed[partition].offset if partition in committed else 0) for partition, end in ends.items())


async def dead_letters(bootstrap_servers: str) -> list[tuple[str, int, int]]:
    """Where each record in the dead-letter topic came from."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    partition = TopicPartition("campaign.dlq", 0)
    consumer.assign([partition])
    await consumer.start()
    found: list[tuple[str, int, int]] = []
    try:
        end = (await consumer.end_offsets([partition]))[partition]
        async with asyncio.timeout(60):
            while await consumer.position(partition) < end:
                records = (await consumer.getmany(partition, timeout_ms=500)).get(partition, [])
                letters = [json.loads(record.value) for record in records]
                found += [(letter["topic"], letter["partition"], letter["offset"]) for letter in letters]
    finally:
        await consumer.stop()
    return found
