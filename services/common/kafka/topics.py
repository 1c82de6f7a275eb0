"""The six topics: created where they are missing, accepted as they are where they exist."""

from __future__ import annotations

import asyncio
import logging

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.common.errors import BrokerError
from services.common.kafka.clients import admin_client
from services.common.kafka.trouble import trouble
from services.common.settings import Settings

logger = logging.getLogger(__name__)

MAX_LETTER_BYTES = 4 << 20
"""Largest record that the dead-letter topic takes: a refused record of up to 3 MiB fits after base64."""

_CALL_SECONDS = 15.0


async def ensure_topics(settings: Settings) -> list[str]:
    """Creates what is missing of the settings' six topics and returns the names of what it created.

    Raises `BrokerError` when Kafka does not answer within 15 s or refuses; the call may be repeated.
    """
    admin = admin_client(settings, request_timeout_ms=10_000)
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await admin.start()
            present = set(await admin.list_topics())
            missing = [topic for topic in settings.topics.values() if topic not in present]
            return await _create(admin, settings, missing) if missing else []
    except (KafkaError, OSError, TimeoutError) as error:
        why = await trouble(settings) or repr(error)
        raise BrokerError(f"could not create the topics at {settings.kafka_bootstrap_servers}: {why}") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, settings: Settings, missing: list[str]) -> list[str]:
    letters = settings.topics["dlq"]
    response = await admin.create_topics(
        [
            NewTopic(
                topic,
                settings.topic_partitions,
                settings.topic_replication_factor,
                # A refused record travels as base64 inside JSON, so it is larger than it was.
                topic_configs={"max.message.bytes": str(MAX_LETTER_BYTES)} if topic == letters else {},
            )
            for topic in missing
        ]
    )
    created = []
    for topic, code, *message in response.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(topic)
        elif error is not TopicAlreadyExistsError:
            raise BrokerError(f"Kafka refused to create {topic}: {error.__name__} {message}")
    logger.info("topics created", extra={"topics": created})
    return created
