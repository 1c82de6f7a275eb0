"""Two campaigns whose every order is known, so that any moment of them can be added up by hand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from tests.support.war_room import WarRoom, wait_until

_SECONDS_BETWEEN = 20
CHANNELS = ("app", "live", "web")


@dataclass(frozen=True, slots=True)
class Order:
    """One `order_created`."""

    at: datetime
    value: Decimal
    channel: str


@dataclass(frozen=True, slots=True)
class Past:
    """A declared campaign and its orders."""

    campaign_id: str
    name: str
    start: datetime
    end: datetime
    orders: tuple[Order, ...]

    def gmv(self, until: datetime, channel: str | None = None) -> str:
        """What the orders before `until` come to, read from the list of them and from nothing else."""
        kept = (each for each in self.orders if each.at < until and channel in (None, each.channel))
        return str(sum((each.value for each in kept), Decimal("0.00")))


def past_of(campaign_id: str, name: str, start: datetime, end: datetime, until: datetime, unit: str) -> Past:
    """An order each 20 s from `start` to `until`, each a little larger than the one before."""
    count = int((until - start) / timedelta(seconds=_SECONDS_BETWEEN))
    orders = tuple(
        Order(
            start + timedelta(seconds=number * _SECONDS_BETWEEN + 3),
            Decimal(unit) * (number % 7 + 1),
            CHANNELS[number % len(CHANNELS)],
        )
        for number in range(count)
    )
    return Past(campaign_id, name, start, end, orders)


def tell(room: WarRoom, pasts: Sequence[Past]) -> None:
    """Declares the campaigns, sends their orders, and returns when the war room has counted them."""
    for past in pasts:
        _declare(room, past)
    asyncio.run(_send(room, pasts))
    for past in pasts:
        wait_until(lambda past=past: _counted(room, past), 60, f"counting {past.campaign_id}")  # type: ignore[misc]


def _declare(room: WarRoom, past: Past) -> None:
    body = {
        "name": past.name,
        "start": past.start.isoformat(),
        "end": past.end.isoformat(),
        "timezone": "Asia/Shanghai",
        "phases": [
            {"name": "warm_up", "start": past.start.isoformat(), "end": _later(past, 10)},
            {"name": "burst", "start": _later(past, 10), "end": past.end.isoformat()},
        ],
    }
    answer = httpx.put(f"{room.url}/api/v1/campaigns/{past.campaign_id}", json=body, timeout=10)
    assert answer.status_code == 200, answer.text


async def _send(room: WarRoom, pasts: Sequence[Past]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=room.kafka, request_timeout_ms=10_000) as producer:
        for past in pasts:
            for order in past.orders:
                event = _event(past.campaign_id, order)
                await producer.send("campaign.orders", json.dumps(event).encode(), key=str(event["order_id"]).encode())
        await producer.flush()


def _later(past: Past, minutes: int) -> str:
    return (past.start + timedelta(minutes=minutes)).isoformat()


def _counted(room: WarRoom, past: Past) -> bool:
    answer = httpx.get(f"{room.url}/api/v1/campaigns/{past.campaign_id}/overview", timeout=10)
    if answer.json()["metrics"]["orders_created"] == len(past.orders):
        return True
    time.sleep(0.2)
    return False


def _event(campaign_id: str, order: Order) -> dict[str, object]:
    order_id = uuid4().hex
    return {
        "event_id": uuid4().hex,
        "event_name": "order_created",
        "event_time": order.at.isoformat(timespec="milliseconds"),
        "campaign_id": campaign_id,
        "user_id": f"user-{order_id}",
        "channel": order.channel,
        "region": "CN-31",
        "order_id": order_id,
        "value": str(order.value),
        "currency": "CNY",
    }
