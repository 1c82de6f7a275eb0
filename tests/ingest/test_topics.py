"""Topics are made where they are missing and left alone where they are."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.errors import BrokerError
from services.common.kafka import ensure_topics
from services.common.settings import Settings
from tests.ingest.harness import settings_for
from tests.support.broker import free_port
from tests.support.kafka import KafkaServer


async def test_missing_topics_are_made_and_others_accepted(broker: KafkaServer) -> None:
    settings = settings_for(broker, topic_partitions=3)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(settings.topics["orders"], 1, 1)])
        assert set(await ensure_topics(settings)) == set(settings.topics.values()) - {settings.topics["orders"]}
        assert await ensure_topics(settings) == []
        described = await admin.describe_topics(list(settings.topics.values()))
    finally:
        await admin.close()
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    assert counts == {topic: 1 if kind == "orders" else 3 for kind, topic in settings.topics.items()}


async def test_a_broker_that_is_not_there_is_an_error_that_says_where() -> None:
    settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError, match=str(settings.kafka_bootstrap_servers)):
        await ensure_topics(settings)
