"""Three `warroom ingest` processes share twelve partitions of each topic."""

from __future__ import annotations

import pytest

from services.common.kafka import ensure_topics
from services.common.store import Store
from tests.kafka.conftest import PARTITIONS
from tests.kafka.feed import Feed, feeding
from tests.kafka.finish import finish
from tests.kafka.fleet import Fleet
from tests.support.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

CAMPAIGN = "group"
TOPICS = 5


async def test_three_processes_share_the_work(fleet: Fleet, tables: Store) -> None:
    await ensure_topics(fleet.settings)
    feed = Feed(fleet.settings, CAMPAIGN, seed=1, per_second=1_500)
    async with feeding(feed):
        members = [fleet.launch() for _ in range(3)]
        for member in members:
            await until(member.ready, 60)
        await until(lambda: sum(member.partitions() for member in members) == TOPICS * PARTITIONS, 60)
        assert all(member.partitions() == TOPICS * PARTITIONS // 3 for member in members)
        before = feed.events
        await until(lambda: feed.events > before + 6_000)
    await finish(fleet, tables, feed, members)
