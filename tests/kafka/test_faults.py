"""Under load the group grows and shrinks, its members are killed, the broker is killed: nothing lost, nothing doubled.

`KILLS=100 pytest -m system tests/kafka/test_faults.py -k killed_again -s` kills for longer than `make test-system`.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.common.kafka import ensure_topics
from services.common.settings import Settings
from services.common.store import Store
from tests.ingest.harness import handled, settings_for
from tests.kafka.conftest import PARTITIONS
from tests.kafka.feed import Feed, feeding
from tests.kafka.finish import finish
from tests.kafka.fleet import Fleet, fleet_of
from tests.kafka.reading import check_ledger, check_rows, read, settle
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.kafka import running_kafka
from tests.support.topics import recreate_topic
from tests.support.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("KILLS", "20"))
TOPICS = 5
PATIENCE_SECONDS = 120
"""For what takes some seconds on a machine that has nothing else to do."""


async def progressed(tables: Store, settings: Settings, records: int, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when this many more records are dealt with."""
    before = handled(tables, settings)
    await until(lambda: handled(tables, settings) > before + records, seconds)


async def test_the_group_grows_from_one_to_three_and_shrinks_to_one(fleet: Fleet, tables: Store) -> None:
    await ensure_topics(fleet.settings)
    feed = Feed(fleet.settings, "grows", seed=2, per_second=1_000)
    async with feeding(feed):
        members = [fleet.launch()]
        await until(members[0].ready, PATIENCE_SECONDS)
        await progressed(tables, fleet.settings, 1_000)
        for size in (2, 3):
            members.append(fleet.launch())
            share = TOPICS * PARTITIONS // size
            await until(lambda: [each.partitions() for each in members] == [share] * size, PATIENCE_SECONDS)  # noqa: B023
            await progressed(tables, fleet.settings, 1_000)
        for _ in range(2):
            # The first one too: whoever leads the group may go.
            await asyncio.to_thread(members.pop(0).stop)
            await progressed(tables, fleet.settings, 1_000)
        await until(lambda: members[0].partitions() == TOPICS * PARTITIONS, PATIENCE_SECONDS)
    await finish(fleet, tables, feed, members)


@pytest.mark.timeout(300 + 15 * KILLS)
async def test_members_are_killed_again_and_again(fleet: Fleet, tables: Store) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    await ensure_topics(fleet.settings)
    feed = Feed(fleet.settings, "killed", seed=seed, per_second=1_000)
    working = starting = rounds = 0
    async with feeding(feed):
        members = [fleet.launch() for _ in range(3)]
        while working < KILLS:
            rounds += 1
            # Only who writes is worth killing; then at any moment.
            await until(lambda: all(member.partitions() for member in members), PATIENCE_SECONDS)
            await asyncio.sleep(rng.uniform(0, 1.5))
            victims = rng.sample(members, rng.choice((1, 2, 3, 3)))
            for victim in victims:
                working += victim.partitions() > 0
                victim.kill()
                members.remove(victim)
                members.append(fleet.launch())
            if rng.random() < 0.3:
                # Some die young: while they start, while they join.
                await asyncio.sleep(rng.uniform(0.5, 4))
                starting += 1
                members.pop().kill()
                members.append(fleet.launch())
    print(f"{working} kills at work and {starting} at the start in {rounds} rounds, {feed.events} events")
    await finish(fleet, tables, feed, members)


async def test_the_broker_is_killed_and_comes_back(own_endpoint: Endpoint, tables: Store, tmp_path: Path) -> None:
    with running_kafka(tmp_path / "kafka") as kafka:
        settings = settings_for(kafka, topic_partitions=PARTITIONS, clickhouse_url=SecretStr(own_endpoint.url))
        with fleet_of(settings, tmp_path) as fleet:
            await ensure_topics(settings)
            feed = Feed(settings, "broker", seed=4, per_second=1_000)
            async with feeding(feed):
                members = [fleet.launch() for _ in range(2)]
                for member in members:
                    await until(member.ready, PATIENCE_SECONDS)
                for _ in range(2):
                    await progressed(tables, settings, 2_000)
                    kafka.kill()
                    await asyncio.to_thread(kafka.start)
                    back = time.monotonic()
                    await progressed(tables, settings, 1_000, PATIENCE_SECONDS)
                    print(f"goes on {time.monotonic() - back:.1f} s after the broker is back")
            await finish(fleet, tables, feed, members)


@pytest.mark.parametrize("ingest", ["runs", "is down"])
async def test_a_topic_is_deleted_and_created_anew(fleet: Fleet, tables: Store, ingest: str) -> None:
    settings = fleet.settings
    assert settings.kafka_bootstrap_servers is not None
    await ensure_topics(settings)
    old = Feed(settings, "old", seed=5, per_second=1_000)
    async with feeding(old):
        members = [fleet.launch() for _ in range(2)]
        await until(lambda: old.events > 3_000, PATIENCE_SECONDS)
    before = await settle(tables, settings, PATIENCE_SECONDS)
    if ingest == "is down":
        for member in members:
            await asyncio.to_thread(member.stop)
    await recreate_topic(settings.kafka_bootstrap_servers, settings.topics["traffic"], PARTITIONS)
    new = Feed(settings, "new", seed=6, per_second=1_000)
    async with feeding(new):
        # Past the offsets that were committed for the old one.
        await until(lambda: new.events > 1.3 * old.events, PATIENCE_SECONDS)
    if ingest == "is down":
        members = [fleet.launch() for _ in range(2)]
    held = await read(settings)
    await until(lambda: count(tables, "new") == len(held["traffic"].first), PATIENCE_SECONDS)
    await settle(tables, settings, PATIENCE_SECONDS)
    for member in members:
        await asyncio.to_thread(member.stop)
    check_rows(tables, "old", "traffic", before["traffic"])
    check_rows(tables, "new", "traffic", held["traffic"])
    check_ledger(tables, settings, "traffic", [before["traffic"], held["traffic"]])
    await asyncio.to_thread(fleet.audit)


def count(tables: Store, campaign: str) -> int:
    """How many rows of traffic a campaign has."""
    (row,) = tables.query("SELECT count() AS n FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    return int(row["n"])
