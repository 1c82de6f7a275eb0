"""The service as a whole on real parts: what goes in comes out once, and what is refused is kept."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.store import Store
from tests.ingest.harness import (
    Record,
    order,
    produce,
    progress,
    read_letters,
    record,
    running,
    settings_for,
    traffic,
    until_handled,
)
from tests.support.kafka import KafkaServer
from tests.support.people import named
from tests.support.store import fresh_campaign
from tests.support.waiting import until


async def test_every_kind_arrives_as_it_was_sent(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    common = {"event_time": "2026-11-11T20:00:00.123456+08:00", "campaign_id": campaign}
    sent = {
        "traffic": traffic(campaign, **common, session_id="s1", item_id="i1", engagement_time_msec=1500),
        "orders": order(
            campaign,
            **common,
            value=100,
            items=[
                {"item_id": "i1", "item_category": "shoes", "quantity": 3, "price": "19.99"},
                {"item_id": "i2", "quantity": 1, "price": 5},
            ],
            discount="1.5",
            new_customer=True,
        ),
        "coupons": {
            **traffic(campaign, **common),
            "event_name": "coupon_redeemed",
            "coupon_id": "c1",
            "batch_id": "b1",
            "face_value": "20",
            "currency": "CNY",
        },
        "inventory": {**traffic(campaign, **common), "event_name": "stock_level", "item_id": "i1", "available": 7},
        "spend": {
            **traffic(campaign, **common),
            "event_name": "ad_spend",
            "cost": "12.34",
            "currency": "CNY",
            "clicks": 5,
            "channel": "app",
        },
    }
    settings = settings_for(broker)
    records = [record(kind, event) for kind, event in sent.items()]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)

    def row(table: str) -> dict[str, Any]:
        (only,) = store.query(f"SELECT * FROM {table} WHERE campaign_id = {{c:String}}", {"c": campaign})
        assert only["event_time"] == datetime(2026, 11, 11, 12, 0, 0, 123000, UTC)
        return only

    seen = row("traffic_events")
    assert (seen["event_id"], seen["item_id"]) == (sent["traffic"]["event_id"], "i1")
    assert seen["session_id"] == named(store, "session_id", "s1")
    assert {seen["user_id"], row("order_events")["user_id"], row("coupon_events")["user_id"]} == {
        named(store, "user_id", "u1")
    }
    assert (seen["engagement_time_msec"], seen["channel"], seen["item_category"]) == (1500, "unknown", "unknown")
    bought = row("order_events")
    assert (bought["value"], bought["original_value"]) == (Decimal("100.00"), Decimal("100.00"))
    assert (bought["discount"], bought["customer_type"]) == (Decimal("1.50"), "new")
    assert (bought["line_item_id"], bought["line_item_category"]) == (["i1", "i2"], ["shoes", "unknown"])
    assert (bought["line_quantity"], bought["line_amount"]) == ([3, 1], [Decimal("59.97"), Decimal("5.00")])
    assert row("coupon_events")["face_value"] == Decimal("20.00")
    stock = row("stock_events")
    assert (stock["available"], stock["safety_stock"], stock["warehouse_id"]) == (7, -1, "default")
    spent = row("spend_events")
    assert (spent["cost"], spent["clicks"], spent["channel"]) == (Decimal("12.34"), 5, "app")


async def test_duplicates_and_disorder_count_once(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    rng = random.Random(7)
    events = [
        traffic(
            campaign,
            user_id=f"u{number % 50}",
            event_time=(datetime.now(UTC) - timedelta(hours=number % 30)).isoformat(),
        )
        for number in range(2000)
    ]
    # A repeat may say something else; the first arrival counts.
    again = [{**rng.choice(events), "event_name": "view_item"} for _ in range(500)]
    records = [record("traffic", event) for event in events]
    records += [record("traffic", event) for event in again]
    settings = settings_for(broker, batch_max_rows=300)
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
    rows = store.query(
        "SELECT event_id, event_name FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign}
    )
    assert sorted(row["event_id"] for row in rows) == sorted(event["event_id"] for event in events)
    assert {row["event_name"] for row in rows} == {"page_view"}
    (rollup,) = store.query(
        "SELECT sum(events) AS events FROM traffic_by_minute WHERE campaign_id = {c:String} AND dimension = ''",
        {"c": campaign},
    )
    assert rollup["events"] == len(events)


async def test_a_refused_event_uses_up_no_id(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    good = traffic(campaign)
    settings = settings_for(broker)
    records = [record("traffic", {**good, "event_name": "Not Snake"}), record("traffic", good)]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
    rows = store.query("SELECT event_id FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    assert [row["event_id"] for row in rows] == [good["event_id"]]


async def test_refusals_are_kept_with_their_reason(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    refused: dict[str, list[Record]] = {
        "invalid_json": [
            ("traffic", b"k1", b"{"),
            ("traffic", b"k2", b"[1]"),
            ("traffic", b"\xff\xfe", b"\xff"),
            ("traffic", None, b"null"),
            ("orders", b"k3", None),
        ],
        "schema_violation": [record("orders", order(campaign, value="-1"))],
        "unknown_event_name": [record("orders", order(campaign, event_name="order_lost"))],
        "unsupported_currency": [record("orders", order(campaign, currency="XXX"))],
        "event_time_out_of_range": [record("traffic", traffic(campaign, event_time=ahead))],
        "too_large": [record("traffic", traffic(campaign, page_location="x" * (700 << 10)))],
    }
    records = [each for group in refused.values() for each in group]
    settings = settings_for(broker)
    before = datetime.now(UTC)
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
    letters = await read_letters(settings, len(records))
    assert len(letters) == len(records)
    for reason, group in refused.items():
        for kind, key, value in group:
            (fields,) = [
                fields
                for letter_key, fields in letters
                if (letter_key, fields["topic"]) == (key, settings.topics[kind])
                and base64.b64decode(fields["value"]) == (value or b"")
            ]
            assert set(fields) == {
                "reason", "detail", "topic", "partition", "offset", "key", "value", "received_at",
            }  # fmt: skip
            assert fields["reason"] == reason
            assert fields["detail"]
            assert fields["key"] == (None if key is None else key.decode("utf-8", "backslashreplace"))
            assert fields["received_at"].endswith("Z")
            received = datetime.fromisoformat(fields["received_at"])
            assert before - timedelta(seconds=1) < received < datetime.now(UTC)
    rows = store.query("SELECT * FROM dead_letters WHERE startsWith(topic, {p:String})", {"p": settings.topic_prefix})
    in_topic = {(each["topic"], each["partition"], each["offset"]): each for _, each in letters}
    assert len(rows) == len(in_topic) == len(records)
    for row in rows:
        fields = in_topic[row["topic"], row["kafka_partition"], row["kafka_offset"]]
        assert (row["reason"], row["detail"]) == (fields["reason"], fields["detail"])
        assert (row["key"], row["value"]) == (fields["key"], fields["value"])


async def test_a_refusal_too_large_for_the_dead_letter_topic_is_kept_whole_in_the_table(
    broker: KafkaServer, store: Store
) -> None:
    settings = settings_for(broker)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    large = {"max.message.bytes": str(8 << 20)}
    await admin.create_topics([NewTopic(settings.topics["traffic"], 2, 1, topic_configs=large)])
    await admin.close()
    value = json.dumps({"x": "y" * (3_500_000)}).encode()
    async with running(settings, store):
        await produce(settings, [("traffic", b"k", value)])
        await until_handled(store, settings, [("traffic", b"k", value)])
    ((_, fields),) = await read_letters(settings, 1)
    assert fields["value"] == ""
    assert "dead_letters" in fields["detail"]
    (row,) = store.query("SELECT * FROM dead_letters WHERE startsWith(topic, {p:String})", {"p": settings.topic_prefix})
    assert base64.b64decode(row["value"]) == value
    assert row["reason"] == "too_large"


async def test_the_watermark_follows_the_clock_when_nothing_is_left_to_read(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("ingest")
    settings = settings_for(broker)
    async with running(settings, store):
        records = [record("traffic", traffic(campaign))]
        await produce(settings, records)
        sent = datetime.now(UTC)

        def complete() -> bool:
            rows = progress(store, settings).values()
            return len(rows) == 10 and all(row["watermark"] > sent for row in rows)

        await until(complete)
    rows = progress(store, settings).values()
    assert all(row["next_offset"] == row["end_offset"] for row in rows)
    assert all(row["watermark"] <= row["updated_at"] for row in rows)


@pytest.mark.parametrize("rows", [1, 7])
async def test_blocks_of_any_size_carry_the_same(broker: KafkaServer, store: Store, rows: int) -> None:
    campaign = fresh_campaign("ingest")
    settings = settings_for(broker, batch_max_rows=rows, topic_partitions=1)
    records = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(40)]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
    users = store.query("SELECT user_id FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    assert sorted(row["user_id"] for row in users) == sorted(
        named(store, "user_id", f"u{number}") for number in range(40)
    )
