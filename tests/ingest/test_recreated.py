"""A topic that is deleted and created anew: its records are new ones, whatever their offsets."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from services.common.settings import Settings
from services.common.store import Store
from services.ingest.consumer import GroupConsumer
from tests.ingest.harness import Record, handled, produce, record, running, settings_for, traffic, until_handled
from tests.support.kafka import ApacheKafka
from tests.support.store import fresh_campaign
from tests.support.topics import delete_topic, recreate_topic
from tests.support.waiting import until

pytestmark = pytest.mark.system


def views(campaign: str, count: int) -> list[Record]:
    return [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(count)]


async def recreate(settings: Settings) -> None:
    assert settings.kafka_bootstrap_servers is not None
    await recreate_topic(settings.kafka_bootstrap_servers, settings.topics["traffic"], 1)


def count(store: Store, campaign: str) -> Counter[int]:
    rows = store.query(
        "SELECT event_id, count() AS n FROM traffic_events WHERE campaign_id = {c:String} GROUP BY event_id",
        {"c": campaign},
    )
    return Counter(row["n"] for row in rows)


@pytest.mark.parametrize("commits_survive", [False, True])
async def test_while_ingest_was_down_and_grown_past_the_old_offset(
    kafka: ApacheKafka, store: Store, commits_survive: bool
) -> None:
    campaign = fresh_campaign("ingest")
    settings = settings_for(kafka, topic_partitions=1)
    old, new = views(campaign, 50), views(campaign, 300)
    async with running(settings, store):
        await produce(settings, old)
        await until_handled(store, settings, old)
    kept = await commits(settings)
    await recreate(settings)
    await produce(settings, new)
    if commits_survive:
        # Kafka drops them with the topic. A tool may have put them back, or a member that did not know.
        assert kept
        await put_back(settings, kept)
    async with running(settings, store):
        await until(lambda: count(store, campaign) == {1: 350})


@pytest.mark.parametrize("store_url", [None, "chdb:///unused"], ids=["in a group", "alone"])
async def test_while_ingest_runs(kafka: ApacheKafka, store: Store, store_url: str | None) -> None:
    campaign = fresh_campaign("ingest")
    settings = settings_for(kafka, topic_partitions=1, clickhouse_url=store_url)
    async with running(settings, store):
        old, new = views(campaign, 50), views(campaign, 300)
        await produce(settings, old)
        await until_handled(store, settings, old)
        await recreate(settings)
        await produce(settings, new)
        await until(lambda: count(store, campaign) == {1: 350}, 60)
        await until(lambda: handled(store, settings) == 300)


async def test_created_anew_between_the_assignment_and_the_look_at_the_ids(
    kafka: ApacheKafka, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group shares out partitions without the topic, and finds its new id: all looks as it was assigned."""
    campaign = fresh_campaign("ingest")
    settings = settings_for(kafka, topic_partitions=1)
    assert settings.kafka_bootstrap_servers is not None
    topic, read_ids = settings.topics["traffic"], GroupConsumer.topic_ids
    consumers: list[GroupConsumer] = []

    async def ids_after_creation(self: GroupConsumer) -> dict[str, str]:
        if self in consumers and deleted.is_set() and not self._consumer.partitions_for_topic(topic):
            await recreate(settings)
        consumers.append(self)
        return await read_ids(self)

    deleted = asyncio.Event()
    monkeypatch.setattr(GroupConsumer, "topic_ids", ids_after_creation)
    async with running(settings, store):
        old, new = views(campaign, 50), views(campaign, 300)
        await produce(settings, old)
        await until_handled(store, settings, old)
        deleted.set()
        await delete_topic(settings.kafka_bootstrap_servers, topic)
        met = len(consumers)
        await consumers[-1]._consumer._client.force_metadata_update()
        await until(lambda: len(consumers) > met)
        await produce(settings, new)
        await until(lambda: count(store, campaign) == {1: 350}, 60)


async def commits(settings: Settings) -> dict[TopicPartition, OffsetAndMetadata]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        held: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(settings.consumer_group)
        return {partition: offset for partition, offset in held.items() if offset.offset > 0}
    finally:
        await admin.close()


async def put_back(settings: Settings, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.consumer_group,
        enable_auto_commit=False,
    )
    consumer.assign(list(offsets))
    await consumer.start()
    try:
        await consumer.commit(offsets)
    finally:
        await consumer.stop()
