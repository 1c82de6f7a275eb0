"""Topics of Apache Kafka, which tells how they are configured."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import NewTopic

from services.common.kafka import admin_client, ensure_topics
from services.common.settings import Settings
from services.doctor.checks.kafka import judge_topics, read_topics
from tests.support.broker import unique
from tests.support.kafka import ApacheKafka

pytestmark = pytest.mark.system


async def test_a_topic_that_is_configured_against_us_is_found(kafka: ApacheKafka) -> None:
    settings = Settings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=unique("doctor") + ".", topic_partitions=1
    )
    wrong = {
        "orders": {"cleanup.policy": "compact", "retention.ms": "60000"},
        "traffic": {"min.insync.replicas": "2"},
        "dlq": {"max.message.bytes": "1048588"},
        "spend": {"unclean.leader.election.enable": "true"},
    }
    admin = admin_client(settings)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(settings.topics[kind], 1, 1, topic_configs=config) for kind, config in wrong.items()]
        )
    finally:
        await admin.close()
    await ensure_topics(settings)
    async with asyncio.timeout(60):
        # A broker tells of a new topic a moment after it has promised it.
        while len(topics := await read_topics(settings)) < len(settings.topics):  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)
    said = [finding.sentence for finding in judge_topics(topics, settings)]
    expected = [
        f"{settings.topics['traffic']}: min.insync.replicas is 2, and it has 1 replica(s): nothing can be written",
        f"{settings.topics['orders']}: cleanup.policy is compact: compaction keeps one event a key",
        f"{settings.topics['orders']}: retention.ms is 60000, 0.0 h",
        f"{settings.topics['spend']}: unclean.leader.election.enable is true",
        f"{settings.topics['dlq']}: max.message.bytes is 1048588, less than 4194304",
    ]
    assert len(said) == len(expected)
    for sentence in expected:
        assert any(each.startswith(sentence) for each in said), sentence
