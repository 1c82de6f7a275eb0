"""The embedded broker's life, with the real one."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.errors import ConfigurationError
from services.common.settings import load_settings
from services.standalone.broker import EmbeddedBroker, holds_within, speaks_kafka
from services.standalone.processes import identify
from services.standalone.trim import Trimmer
from tests.support.broker import free_port

STOP_SECONDS = 10.0


class Brokers:
    """Brokers that are ended with the test, whatever became of it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.made: list[EmbeddedBroker] = []

    def make(self, port: int) -> EmbeddedBroker:
        broker = EmbeddedBroker(self.data_dir, port)
        self.made.append(broker)
        return broker


@pytest.fixture
async def brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    brokers = Brokers(tmp_path)
    yield brokers
    for broker in brokers.made:
        broker.kill()
        await broker.stop(0)


async def test_one_that_still_runs_is_adopted_and_stopped_like_our_own(brokers: Brokers) -> None:
    port = free_port()
    first, second = brokers.make(port), brokers.make(port)
    await first.start()
    await second.start()
    assert second.process == first.process
    await second.stop(STOP_SECONDS)
    assert not first.alive()
    assert not second.alive()
    assert not await speaks_kafka("127.0.0.1", port)


async def test_another_port_replaces_the_one_that_runs_and_keeps_its_records(brokers: Brokers) -> None:
    first, second = brokers.make(free_port()), brokers.make(free_port())
    await first.start()
    producer = AIOKafkaProducer(bootstrap_servers=first.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait("campaign.orders", b"kept")
    await producer.stop()
    await second.start()
    assert second.process != first.process
    assert not first.alive()
    admin = AIOKafkaAdminClient(bootstrap_servers=second.bootstrap_servers)
    await admin.start()
    assert "campaign.orders" in await admin.list_topics()
    await admin.close()


async def test_a_stranger_on_the_port_is_left_alone_and_named(brokers: Brokers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        broker = brokers.make(stranger.getsockname()[1])
        with pytest.raises(ConfigurationError, match="choose another --kafka-port"):
            await broker.start()
    assert not broker.alive()
    assert broker.process is None


async def test_its_end_is_seen(brokers: Brokers) -> None:
    broker = brokers.make(free_port())
    await broker.start()
    assert broker.alive()
    assert broker.process is not None
    psutil.Process(broker.process.pid).send_signal(signal.SIGKILL)
    assert await holds_within(5, lambda: not broker.alive())


async def test_a_reused_process_id_is_another_process() -> None:
    ours = identify(psutil.Process().pid)
    assert ours is not None
    assert ours.alive()
    assert not type(ours)(ours.pid, ours.started + 1).alive()


async def test_trimming_deletes_what_the_group_has_read_and_leaves_dead_letters(brokers: Brokers) -> None:
    broker = brokers.make(free_port())
    await broker.start()
    settings = load_settings(kafka_bootstrap_servers=broker.bootstrap_servers, topic_partitions=1)
    traffic, orders, letters = (TopicPartition(settings.topics[kind], 0) for kind in ("traffic", "orders", "dlq"))
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in settings.topics.values()])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    await producer.start()
    for partition in (traffic, orders, letters):
        for number in range(30):
            await producer.send_and_wait(partition.topic, b"%d" % number)
    await producer.stop()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers, group_id=settings.consumer_group, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([traffic, orders, letters])
    await consumer.commit({traffic: 20, orders: 7, letters: 30})
    trimmer = Trimmer(settings, keep=5, step=5)
    await trimmer.trim()
    starts = await consumer.beginning_offsets([traffic, orders, letters])
    await consumer.stop()
    assert starts == {traffic: 15, orders: 0, letters: 0}
