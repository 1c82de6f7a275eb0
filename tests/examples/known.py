"""A running system that was sent the example events, and the calls of the examples."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from schemas.events.examples import EXAMPLES as EVENTS
from schemas.http.requests import CAMPAIGN, LETTER
from tests.support.war_room import wait_until, war_room_in

KEYS = {"traffic": "user_id", "orders": "order_id", "coupons": "coupon_id", "inventory": "item_id", "spend": "channel"}
REFUSED = {"event_id": "order-6", "currency": "XXX"}


def known_events() -> list[tuple[str, dict[str, Any]]]:
    """The example events a year before, so that none is ahead of the clock; and one that is refused."""
    found = [
        (kind, {**event, "campaign_id": CAMPAIGN, "event_time": event["event_time"].replace("2026-", "2025-")})
        for kind, events in EVENTS.items()
        for event in events.values()
    ]
    orders = [event for kind, event in found if kind == "orders"]
    assert int(LETTER[2]) == len(orders)
    return [*found, ("orders", {**orders[0], **REFUSED})]


@contextmanager
def known_system(directory: Path) -> Iterator[httpx.Client]:
    """A client of a standalone that has counted the known events."""
    with war_room_in(directory) as room:
        room.start()
        asyncio.run(send_known(room.kafka))
        moment = datetime.now(UTC)
        with httpx.Client(base_url=room.url, timeout=30) as client:

            def counted() -> bool:
                answer = client.get(f"/api/v1/campaigns/{CAMPAIGN}/overview")
                if not answer.is_success or answer.json()["watermark"] is None:
                    return False
                return datetime.fromisoformat(answer.json()["watermark"]) > moment

            wait_until(counted, 60, "counting the example events")
            yield client
        room.stop()


async def send_known(kafka: str) -> None:
    """Sends the known events, one after the other."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for kind, event in known_events():
            value = json.dumps(event, ensure_ascii=False).encode()
            await producer.send_and_wait(f"campaign.{kind}", value, key=str(event[KEYS[kind]]).encode())
    finally:
        await producer.stop()


def ask(client: httpx.Client, call: str, parameters: Mapping[str, Any], body: Any) -> httpx.Response:
    """Makes a call: parameters that its path names go there, the others into the query."""
    method, _, path = call.partition(" ")
    query = []
    for name, value in parameters.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", str(value))
        else:
            query += [(name, each) for each in (value if isinstance(value, list) else [value])]
    return client.request(method, path, params=query, json=body)
