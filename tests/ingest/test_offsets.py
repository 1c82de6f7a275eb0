"""The group's offsets, as Kafka keeps them."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from services.common.settings import Settings
from services.common.store import Store
from services.ingest import session
from tests.ingest.harness import produce, progress, record, running, settings_for, traffic, until_handled
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until


async def test_the_offset_of_a_quiet_partition_is_renewed(
    broker: KafkaServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka forgets what nobody commits again; here somebody moves it, and it comes back without a new record."""
    monkeypatch.setattr(session, "_RENEW_SECONDS", 0.5)
    # Alone, or Kafka would not let anybody else commit.
    settings = settings_for(broker, topic_partitions=1, clickhouse_url=SecretStr("chdb:///unused"))
    partition = TopicPartition(settings.topics["traffic"], 0)
    records = [record("traffic", traffic(fresh_campaign("ingest"))) for _ in range(5)]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
        await until_committed(settings, partition, 5)
        await commit(settings, partition, 1)
        await until_committed(settings, partition, 5)


async def end_of(settings: Settings, partition: TopicPartition) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, isolation_level="read_committed")
    consumer.assign([partition])
    await consumer.start()
    try:
        return int((await consumer.end_offsets([partition]))[partition])
    finally:
        await consumer.stop()


async def until_committed(settings: Settings, partition: TopicPartition, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        async with asyncio.timeout(60):
            while True:
                held = await admin.list_consumer_group_offsets(settings.consumer_group, partitions=[partition])
                if held[partition].offset == offset:
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def commit(settings: Settings, partition: TopicPartition, offset: int) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, group_id=settings.consumer_group, enable_auto_commit=False
    )
    consumer.assign([partition])
    await consumer.start()
    try:
        await consumer.commit({partition: offset})
    finally:
        await consumer.stop()


@pytest.mark.parametrize("ends", [["commit", "commit"], ["commit", "abort"], ["abort"]], ids="-".join)
async def test_a_log_that_ends_in_what_is_no_record_is_read_to_its_end(
    broker: KafkaServer, store: Store, ends: list[str]
) -> None:
    """The mark of a transaction takes an offset, and so do records that were given up: whoever waits for records there
    stays behind for ever, and so does the watermark."""
    settings = settings_for(broker, topic_partitions=1)
    kind, key, value = record("traffic", traffic(fresh_campaign("ingest")))
    async with running(settings, store):
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap_servers, transactional_id=settings.topic_prefix
        )
        await producer.start()
        try:
            for end in ends:
                await producer.begin_transaction()
                await producer.send_and_wait(settings.topics[kind], value, key)
                await (producer.commit_transaction() if end == "commit" else producer.abort_transaction())
        finally:
            await producer.stop()
        partition = TopicPartition(settings.topics[kind], 0)
        last = await end_of(settings, partition)

        def done() -> bool:
            row = progress(store, settings).get((partition.topic, 0))
            return row is not None and row["next_offset"] == row["end_offset"] == last

        await until(done)
