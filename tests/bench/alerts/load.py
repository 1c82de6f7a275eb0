"""A child: so many events a second into Kafka, and now and then an item that is sold out."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from datetime import UTC, datetime

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer

CAMPAIGN = "page-delay"
_TICK_SECONDS = 0.05
_CHANNELS = ("app", "web", "live", "mini_program", "store")


class Load(msgspec.Struct, frozen=True):
    """What the child is to do."""

    servers: str
    events_per_second: int
    seconds: float
    plant_after: float
    plant_every: float


class Planted(msgspec.Struct):
    """When each item's zero was handed to Kafka, in seconds since the epoch, and what else was sent."""

    items: dict[str, float]
    events: int
    seconds: float


async def load(told: Load) -> Planted:
    """Sends on an absolute schedule; what a stall holds up is sent as soon as it is over."""
    producer = AIOKafkaProducer(
        bootstrap_servers=told.servers, linger_ms=5, max_batch_size=256 << 10, enable_idempotence=True
    )
    await producer.start()
    items: dict[str, float] = {}
    sent = 0
    run = uuid.uuid4().hex[:8]
    started = time.monotonic()
    due_plant = told.plant_after
    try:
        while (passed := time.monotonic() - started) < told.seconds:
            due = int(passed * told.events_per_second)
            await _background(producer, run, sent, due)
            sent = due
            if passed >= due_plant:
                due_plant += told.plant_every
                item = f"sold-out-{len(items)}"
                items[item] = time.time()
                await producer.send("campaign.inventory", _stock(run, item), item.encode())
            await asyncio.sleep(max(0.0, started + passed + _TICK_SECONDS - time.monotonic()))
    finally:
        await producer.stop()
    return Planted(items, sent, time.monotonic() - started)


async def _background(producer: AIOKafkaProducer, run: str, first: int, end: int) -> None:
    moment = _now()
    batch = producer.create_batch()
    for number in range(first, end):
        value = (
            f'{{"event_id":"{run}-{number}","event_name":"{"page_view" if number % 3 else "view_item"}",'
            f'"event_time":"{moment}","campaign_id":"{CAMPAIGN}","user_id":"u{number % 49_999}",'
            f'"session_id":"s{number % 99_991}","item_id":"item-{number % 211}","item_category":"c{number % 17}",'
            f'"channel":"{_CHANNELS[number % 5]}","region":"CN-{number % 31}","device_category":"mobile"}}'
        ).encode()
        if batch.append(timestamp=None, key=b"u%d" % (number % 49_999), value=value) is None:
            await producer.send_batch(batch, "campaign.traffic", partition=0)
            batch = producer.create_batch()
            batch.append(timestamp=None, key=b"u", value=value)
    if batch.record_count():
        await producer.send_batch(batch, "campaign.traffic", partition=0)


def _stock(run: str, item: str) -> bytes:
    return msgspec.json.encode(
        {
            "event_id": f"{run}-{item}",
            "event_name": "stock_level",
            "event_time": _now(),
            "campaign_id": CAMPAIGN,
            "item_id": item,
            "available": 0,
        }
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    told = msgspec.json.decode(sys.argv[1], type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(load(told))))
