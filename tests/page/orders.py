"""Orders of a campaign, sent the way that anyone sends them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaProducer

CAMPAIGN = "page-test"


async def send_orders(kafka: str, values: Sequence[str], channel: str = "live", campaign: str = CAMPAIGN) -> None:
    """One `order_created` for each of `values`, happening now."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=10_000) as producer:
        for value in values:
            order_id = uuid4().hex
            event = {
                "event_id": uuid4().hex,
                "event_name": "order_created",
                "event_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "campaign_id": campaign,
                "user_id": f"user-{order_id}",
                "channel": channel,
                "region": "CN-31",
                "order_id": order_id,
                "value": value,
                "currency": "CNY",
                "items": [{"item_id": "sku-1", "quantity": 1, "price": value}],
            }
            await producer.send_and_wait("campaign.orders", json.dumps(event).encode(), key=order_id.encode())
