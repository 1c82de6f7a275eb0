"""Takes a killed predecessor out of the consumer group."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from services.common.kafka import admin_client
from services.common.settings import Settings

logger = logging.getLogger(__name__)

_CALL_SECONDS = 10.0


async def evict_members(settings: Settings) -> int:
    """Makes every member leave the consumer group and returns how many did.

    `noida-db` waits for a member that died without leaving for as long as it runs, whatever the session timeout: the
    next one would never be assigned its partitions. A member that lives, some `warroom ingest` beside us say, is told
    by its next heartbeat and joins again.

    Failing is no reason not to start: the group may have no dead member at all.
    """
    group = settings.consumer_group
    admin = admin_client(settings)
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await admin.start()
            coordinator = await admin.find_coordinator(group)
            gone = 0
            responses = await admin.describe_consumer_groups([group], coordinator)
            for member_id in _member_ids(responses):
                gone += await _leave(admin, coordinator, group, member_id)
    except (KafkaError, OSError, TimeoutError) as error:
        logger.warning("the consumer group was not cleared", extra={"group": group, "error": repr(error)})
        return 0
    finally:
        await admin.close()
    if gone:
        logger.info("members of an earlier run left the group", extra={"group": group, "members": gone})
    return gone


def _member_ids(responses: list[Any]) -> list[str]:
    # A group is a tuple: error, name, state, protocol type, protocol, members; a member begins with its id.
    return [member[0] for response in responses for group in response.groups for member in group[5]]


async def _leave(admin: Any, coordinator: int, group: str, member_id: str) -> bool:
    response = await admin._send_request(LeaveGroupRequest(group, member_id), coordinator)
    return bool(response.error_code == 0)
