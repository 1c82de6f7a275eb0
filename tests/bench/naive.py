"""A child process of the benchmark: the naive loop that ingest must not fall behind.

It reads with aiokafka, validates with msgspec, and puts the raw JSON into one chDB table with one rollup view from a
worker thread. It counts duplicates twice, keeps no refusals, and loses or doubles a block in a crash.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

import clickhouse_connect
import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer

from services.common.settings import EVENT_KINDS, Settings
from tests.bench.drain import Started
from tests.bench.task import Task, read_task

_BLOCK_RECORDS = 50_000
_TABLE = """
CREATE TABLE IF NOT EXISTS events
(
    event_id String, event_name LowCardinality(String), event_time DateTime64(3, 'UTC'),
    campaign_id LowCardinality(String), user_id String, channel LowCardinality(String),
    region LowCardinality(String), session_id String, item_id String, item_category LowCardinality(String),
    utm_source LowCardinality(String), device_category LowCardinality(String)
)
ENGINE = MergeTree ORDER BY (campaign_id, event_time)
"""
_ROLLUP = """
CREATE TABLE IF NOT EXISTS by_minute
(
    campaign_id LowCardinality(String), minute DateTime('UTC'), channel LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64), uv AggregateFunction(uniqCombined64(17), String)
)
ENGINE = AggregatingMergeTree ORDER BY (campaign_id, minute, channel)
"""
_VIEW = """
CREATE MATERIALIZED VIEW IF NOT EXISTS into_by_minute TO by_minute AS
SELECT campaign_id, toStartOfMinute(event_time) AS minute, channel, count() AS events,
    uniqCombined64State(17)(user_id) AS uv
FROM events GROUP BY campaign_id, minute, channel
"""
_INSERT = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort", "async_insert": 0}


class _Event(msgspec.Struct):
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    event_name: str
    event_time: str
    campaign_id: str
    user_id: str = ""
    channel: str = "unknown"
    region: str = "unknown"
    session_id: str = ""
    item_id: str = ""
    item_category: str = ""
    utm_source: str = ""
    device_category: str = ""


async def carry(settings: Settings, client: Any, events: int, broker_pid: int) -> dict[str, float]:
    """Carries so many events into the table and says how fast, from the assignment of the partitions on."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"naive-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    read = msgspec.json.Decoder(_Event).decode
    started = Started(broker_pid)
    await consumer.start()
    insert: asyncio.Task[Any] | None = None
    try:
        consumer.subscribe([settings.topics[kind] for kind in EVENT_KINDS], listener=started)
        await started.assigned.wait()
        left, rows = events, []
        while left > 0:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=10_000)
            for records in fetched.values():
                left -= len(records)
                for record in records:
                    read(record.value)
                    rows.append(record.value)
            if len(rows) >= _BLOCK_RECORDS or left <= 0:
                block, rows = b"\n".join(rows), []
                if insert is not None:
                    await insert
                insert = asyncio.create_task(
                    asyncio.to_thread(
                        client.raw_insert, "events", insert_block=block, fmt="JSONEachRow", settings=_INSERT
                    )
                )
            await asyncio.sleep(0)
        if insert is not None:
            await insert
        return started.meter.result(events)
    finally:
        await consumer.stop()


async def main(task: Task) -> dict[str, float]:
    """As `ingest`: a smaller backlog goes first and is not counted."""
    client = clickhouse_connect.get_client(interface="chdb", path=task.directory)
    for statement in (_TABLE, _ROLLUP, _VIEW):
        client.command(statement)
    await carry(task.warm_settings(), client, task.warm_events, task.broker_pid)
    result = await carry(task.settings(), client, task.events, task.broker_pid)
    assert client.command("SELECT count() FROM events") == task.events + task.warm_events
    client.close()
    return result


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(main(read_task()))).decode())
