"""What tests do to topics behind everybody's back."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

_SECONDS = 30.0


async def recreate_topic(bootstrap_servers: str, topic: str, partitions: int) -> None:
    """Deletes a topic with all that it holds and creates it anew. Returns when that is done."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        async with asyncio.timeout(_SECONDS):
            # Deleting goes on for a moment after it was granted.
            while (await admin.create_topics([NewTopic(topic, partitions, 1)])).topic_errors[0][1]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
