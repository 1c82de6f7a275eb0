"""What Kafka holds, read by plain code of its own, against what the tables say."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.settings import EVENT_KINDS, Settings
from services.common.store import Store
from tests.ingest.harness import read_letters
from tests.support.waiting import until

Place = tuple[int, int]
"""Partition and offset."""

TABLES = {
    "traffic": "traffic_events",
    "orders": "order_events",
    "coupons": "coupon_events",
    "inventory": "stock_events",
    "spend": "spend_events",
}
_READ_SECONDS = 120.0


@dataclass
class Topic:
    """One topic's records, each in one of three ways."""

    first: dict[str, Place] = field(default_factory=dict)
    """Where each event arrived first."""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The event as it arrived first."""
    refused: set[Place] = field(default_factory=set)
    repeats: int = 0
    ends: dict[int, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return len(self.first) + len(self.refused) + self.repeats


async def read(settings: Settings) -> dict[str, Topic]:
    """Everything that the five topics hold, by kind."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    topics = {kind: Topic() for kind in EVENT_KINDS}
    kinds = {settings.topics[kind]: kind for kind in EVENT_KINDS}
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for topic in kinds for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition, end in ends.items():
            topics[kinds[partition.topic]].ends[partition.partition] = end
        left = sum(ends.values()) - sum((await consumer.beginning_offsets(partitions)).values())
        async with asyncio.timeout(_READ_SECONDS):
            while left > 0:
                for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                    left -= len(records)
                    for record in records:
                        _take(topics[kinds[partition.topic]], (partition.partition, record.offset), record.value)
    finally:
        await consumer.stop()
    return topics


def _take(topic: Topic, place: Place, value: bytes) -> None:
    # The feed breaks records in three ways only; two of these are no objects, the third has a number for a name.
    try:
        event = json.loads(value)
    except ValueError:
        event = None
    if not isinstance(event, dict) or event.get("user_id") == 7:
        topic.refused.add(place)
    elif event["event_id"] in topic.first:
        topic.repeats += 1
    else:
        topic.first[event["event_id"]] = place
        topic.events[event["event_id"]] = event


def behind(store: Store, settings: Settings, ends: dict[str, dict[int, int]]) -> int:
    """How many records ingest has not dealt with, by what it says of itself."""
    rows = store.query(
        "SELECT topic, kafka_partition, next_offset FROM ingest_progress FINAL WHERE startsWith(topic, {p:String})",
        {"p": settings.topic_prefix},
    )
    said = {(row["topic"], row["kafka_partition"]): row["next_offset"] for row in rows}
    return sum(
        max(0, end - said.get((settings.topics[kind], partition), 0))
        for kind, partitions in ends.items()
        for partition, end in partitions.items()
    )


async def settle(store: Store, settings: Settings, seconds: float) -> dict[str, Topic]:
    """Waits until ingest has dealt with all that Kafka holds, and returns that. Nobody may be sending any more."""
    topics = await read(settings)
    ends = {kind: topic.ends for kind, topic in topics.items()}
    await until(lambda: behind(store, settings, ends) == 0, seconds)
    return topics


async def check(store: Store, settings: Settings, campaign: str, topics: dict[str, Topic]) -> None:
    """Tables, rollups, dead letters and ledger say of every record what plain reading says."""
    for kind, topic in topics.items():
        check_rows(store, campaign, kind, topic)
        check_ledger(store, settings, kind, [topic])
    _check_rollups(store, campaign, topics)
    await _check_letters(store, settings, topics)


def _check_rollups(store: Store, campaign: str, topics: dict[str, Topic]) -> None:
    asked = {
        "traffic_by_minute": "sum(events) AS n, uniqCombined64Merge(20)(uv) AS users",
        "orders_by_minute": "sum(gmv) AS gmv, sum(paid_gmv) AS paid, sum(refund_amount) AS refunded",
        "coupons_by_minute": "sum(coupons_redeemed) AS n, sum(coupon_cost) AS cost",
        "spend_by_minute": "sum(ad_cost) AS cost, sum(clicks) AS clicks",
    }
    said = {
        table: store.query(
            f"SELECT {columns} FROM {table} WHERE campaign_id = {{c:String}} AND dimension = ''", {"c": campaign}
        )[0]
        for table, columns in asked.items()
    }
    traffic, orders, coupons, spend = (
        topics[kind].events.values() for kind in ("traffic", "orders", "coupons", "spend")
    )

    def amount(name: str) -> Decimal:
        return sum((Decimal(event["value"]) for event in orders if event["event_name"] == name), Decimal(0))

    assert said == {
        # As many users as the feed has are counted exactly.
        "traffic_by_minute": {"n": len(traffic), "users": len({event["user_id"] for event in traffic})},
        "orders_by_minute": {
            "gmv": amount("order_created"),
            "paid": amount("order_paid"),
            "refunded": amount("order_refunded"),
        },
        "coupons_by_minute": {
            "n": len(coupons),
            "cost": sum((Decimal(event["face_value"]) for event in coupons), Decimal(0)),
        },
        "spend_by_minute": {
            "cost": sum((Decimal(event["cost"]) for event in spend), Decimal(0)),
            "clicks": sum(event["clicks"] for event in spend),
        },
    }


def check_rows(store: Store, campaign: str, kind: str, topic: Topic) -> None:
    """Each event is in its table once, as it arrived first."""
    rows = store.query(
        f"SELECT event_id, kafka_partition, kafka_offset FROM {TABLES[kind]} WHERE campaign_id = {{c:String}}",
        {"c": campaign},
    )
    found = {row["event_id"]: (row["kafka_partition"], row["kafka_offset"]) for row in rows}
    assert len(rows) == len(found), f"{kind}: {len(rows) - len(found)} rows too many"
    assert found.keys() == topic.first.keys(), f"{kind}: {len(topic.first) - len(found)} events are missing"
    moved = {event_id for event_id, place in found.items() if place != topic.first[event_id]}
    assert not moved, f"{kind}: {len(moved)} events are not those that arrived first"


def check_ledger(store: Store, settings: Settings, kind: str, lives: Sequence[Topic]) -> None:
    """The ledger counts what the topic held, in each of its lives."""
    (sums,) = store.query(
        "SELECT sum(records) AS records, sum(rows) AS rows, sum(refusals) AS refusals,"
        " sum(duplicates) AS duplicates FROM ingest_blocks WHERE topic = {t:String}",
        {"t": settings.topics[kind]},
    )
    assert sums == {
        "records": sum(topic.records for topic in lives),
        "rows": sum(len(topic.first) for topic in lives),
        "refusals": sum(len(topic.refused) for topic in lives),
        "duplicates": sum(topic.repeats for topic in lives),
    }, kind


async def _check_letters(store: Store, settings: Settings, topics: dict[str, Topic]) -> None:
    refused = {(settings.topics[kind], *place): 1 for kind, topic in topics.items() for place in topic.refused}
    rows = store.query(
        "SELECT topic, kafka_partition, kafka_offset FROM dead_letters WHERE startsWith(topic, {p:String})",
        {"p": settings.topic_prefix},
    )
    assert Counter((row["topic"], row["kafka_partition"], row["kafka_offset"]) for row in rows) == Counter(refused)
    letters = [fields for _, fields in await read_letters(settings)]
    assert Counter((each["topic"], each["partition"], each["offset"]) for each in letters) == Counter(refused)
