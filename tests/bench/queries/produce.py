"""A child process: sends events of campaign `c0` as they happen, at a given rate, until its standard input ends."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from datetime import UTC, datetime

import msgspec
from aiokafka import AIOKafkaProducer

_TICK_SECONDS = 0.02


class Stream(msgspec.Struct, frozen=True):
    """Where to, and how many a second."""

    bootstrap_servers: str
    topic: str
    rate: int


async def produce(stream: Stream) -> None:
    """Keeps to the rate: a tick that comes late sends more."""
    rng = random.Random(1)
    producer = AIOKafkaProducer(bootstrap_servers=stream.bootstrap_servers, linger_ms=10, max_batch_size=128 << 10)
    await producer.start()
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    began, sent = time.monotonic(), 0
    try:
        while not ended.done():
            due = int((time.monotonic() - began) * stream.rate)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            for number in range(sent, due):
                user = rng.randrange(1_000_000)
                value = (
                    f'{{"event_id":"live-{number}","event_name":"page_view","event_time":"{now}","campaign_id":"c0",'
                    f'"user_id":"user-{user}","channel":"app","region":"CN-31","session_id":"live-{user}",'
                    f'"item_id":"item-{user % 10_000}","item_category":"category-1","utm_source":"source-1",'
                    f'"device_category":"ios","page_location":"https://shop.example/item/{user % 10_000}"}}'
                )
                await producer.send(stream.topic, value.encode(), key=str(user).encode())
            sent = max(sent, due)
            await asyncio.sleep(_TICK_SECONDS)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(produce(msgspec.json.decode(sys.argv[1], type=Stream)))
