"""A flood of refusals: as many letters as refusals, each once, and good events of other partitions go on meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from services.common.kafka import ensure_topics
from services.common.store import Store
from services.ingest.letters import DeadLetterTopic
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal
from tests.ingest.harness import Record, order, produce, read_letters, record, running, settings_for, traffic
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until

FLOOD = 10_000


async def test_a_flood_of_refusals(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("flood")
    settings = settings_for(broker, topic_partitions=1)
    wrong = json.dumps(order(campaign, currency="XXX")).encode()
    flood: list[Record] = [("orders", b"k%d" % number, wrong) for number in range(FLOOD)]
    good = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(500)]
    # All of it is there before ingest begins: the whole flood is one block.
    await ensure_topics(settings)
    await produce(settings, flood)
    async with running(settings, store):
        await produce(settings, good)
        await until(lambda: _count(store, "traffic_events", "campaign_id", campaign) == len(good), 60)
        await until(lambda: _count(store, "dead_letters", "topic", settings.topics["orders"]) == FLOOD, 60)
    found = await read_letters(settings)
    assert len(found) == FLOOD
    assert [fields["offset"] for _, fields in found] == list(range(FLOOD))
    assert all(key == b"k%d" % fields["offset"] for key, fields in found)


async def test_letters_of_a_block_leave_in_bounded_batches(broker: KafkaServer, store: Store) -> None:
    """Values of a megabyte: what is encoded and not acknowledged is a few of them, not the block."""
    settings = settings_for(broker, topic_partitions=1)
    topic = DeadLetterTopic(settings)
    await ensure_topics(settings)
    most = 0
    held: list[asyncio.Future[Any]] = []
    await topic.start()
    try:
        producer = topic._producer
        assert producer is not None
        original = producer.send_batch

        async def counted(*batch: Any, **where: Any) -> asyncio.Future[Any]:
            nonlocal most
            future: asyncio.Future[Any] = await original(*batch, **where)
            held.append(future)
            most = max(most, sum(not each.done() for each in held))
            return future

        producer.send_batch = counted
        block = BlockId(settings.topics["orders"], 0, "a", 0, 40, 1_794_400_000_123)
        refusals = [Refusal(offset, b"k", b"x" * 1_000_000, "too_large", "too large") for offset in range(40)]
        await topic.send(block, refusals, again=False)
        assert len(held) == len(refusals)
        assert most <= 2
        # A second time nothing is sent: the letters are found.
        await topic.send(block, refusals, again=True)
        assert len(held) == len(refusals)
    finally:
        await topic.stop()


def _count(store: Store, table: str, column: str, value: str) -> int:
    (row,) = store.query(f"SELECT count() AS n FROM {table} WHERE {column} = {{v:String}}", {"v": value})
    return int(row["n"])
