"""What tests do to topics behind everybody's back."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

_SECONDS = 90.0


async def delete_topic(bootstrap_servers: str, topic: str) -> None:
    """Deletes a topic with all that it holds."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def recreate_topic(bootstrap_servers: str, topic: str, partitions: int) -> None:
    """Deletes a topic with all that it holds and creates it anew. Returns when that is done."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        async with asyncio.timeout(_SECONDS):
            # Ingest, which makes what is missing, may be faster.
            while await _create(admin, topic, partitions) not in (0, TopicAlreadyExistsError.errno):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topic: str, partitions: int) -> int:
    answer = await admin.create_topics([NewTopic(topic, partitions, 1)])
    return int(answer.topic_errors[0][1])
