"""After a restore: the group's offsets are set back to where the store's ledger ends.

A backup is older than Kafka's offsets. Were they left alone, what arrived between the two would never be read again.
The ledger of the restored store knows the last block of every partition that is in the tables, so that reading goes on
right behind it: nothing is lost as long as Kafka still has it, and nothing counts twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from services.common.errors import BrokerError
from services.common.kafka.clients import consumer_client
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import Store
from services.ingest.protocol import Checkpoint

_CALL_SECONDS = 60.0

_ENDS = """
SELECT
    toString(topic) AS topic,
    kafka_partition,
    argMax((toString(incarnation), toUnixTimestamp64Milli(opened_at), end_offset), (opened_at, start_offset)) AS last
FROM ingest_blocks
WHERE topic IN {topics:Array(String)}
GROUP BY topic, kafka_partition
"""


@dataclass(frozen=True, slots=True, order=True)
class Rewound:
    """Where a partition was to be read on from, and where now."""

    topic: str
    partition: int
    before: int | None
    after: int


def ends_of(store: Store, settings: Settings) -> dict[TopicPartition, Checkpoint]:
    """By partition where the ledger ends. Blocks; raises `StoreError`."""
    topics = [settings.topics[kind] for kind in EVENT_KINDS]
    found = {}
    for row in store.query(_ENDS, {"topics": topics}):
        incarnation, opened_at, end = row["last"]
        found[TopicPartition(row["topic"], row["kafka_partition"])] = Checkpoint(incarnation, opened_at, end)
    return found


async def rewind(settings: Settings, ends: Mapping[TopicPartition, Checkpoint]) -> list[Rewound]:
    """Commits, for every partition of the topics, the end of its ledger, or the start of its log where there is none.

    Raises `BrokerError` when Kafka does not answer, or refuses because ingest is running.
    """
    consumer = consumer_client(settings, group_id=settings.consumer_group, enable_auto_commit=False)
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await consumer.start()
            # Known from here on; asking for one of them alone would be answered from what is known.
            await consumer.topics()
            partitions = [
                TopicPartition(settings.topics[kind], number)
                for kind in EVENT_KINDS
                for number in sorted(consumer.partitions_for_topic(settings.topics[kind]) or ())
            ]
            consumer.assign(partitions)
            starts = await consumer.beginning_offsets(partitions)
            before = {each: await consumer.committed(each) for each in partitions}
            after = {
                each: OffsetAndMetadata(ends[each].start, ends[each].encode())
                if each in ends
                else OffsetAndMetadata(starts[each], "")
                for each in partitions
            }
            await consumer.commit(after)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(
            f"the offsets of the group {settings.consumer_group} could not be set ({error!r}): "
            "stop every ingest of the group, wait until Kafka has let go of it (45 s after a kill), and try again"
        ) from error
    finally:
        await consumer.stop()
    return sorted(Rewound(each.topic, each.partition, before[each], after[each].offset) for each in partitions)
