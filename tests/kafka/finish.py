"""How every test of the fleet ends."""

from __future__ import annotations

import asyncio

from services.common.store import Store
from tests.kafka.feed import Feed
from tests.kafka.fleet import Fleet, Member
from tests.kafka.reading import check, settle

SETTLE_SECONDS = 120


async def finish(fleet: Fleet, tables: Store, feed: Feed, members: list[Member]) -> None:
    """What was fed is dealt with, the members stop in order, every table says what Kafka holds, the audit is clean."""
    topics = await settle(tables, fleet.settings, SETTLE_SECONDS)
    assert all(feed.sent[kind] <= topic.first.keys() for kind, topic in topics.items())
    for member in members:
        await asyncio.to_thread(member.stop)
    await check(tables, fleet.settings, feed.campaign, topics)
    await asyncio.to_thread(fleet.audit)
