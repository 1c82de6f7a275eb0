"""Load for all five topics, at an even pace: events, repeats of earlier ones, and records that must be refused."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.common.settings import Settings

PATIENCE_SECONDS = 180.0
"""How long one record may need to be acknowledged, a dead broker's restart included."""

_ROUND_SECONDS = 0.05
_REMEMBERED = 20_000

_Sendable = tuple[str, bytes, bytes]


class Feed:
    """Sends until it is told to stop. A record that was not acknowledged is sent again, so there are more repeats."""

    def __init__(self, settings: Settings, campaign: str, *, seed: int, per_second: int) -> None:
        self.sent = {kind: set[str]() for kind in ("traffic", "orders", "coupons", "inventory", "spend")}
        """Ids of the events that Kafka has acknowledged, by kind."""
        self.paused = asyncio.Event()
        self.paused.set()
        self._settings = settings
        self.campaign = campaign
        self._rng = random.Random(seed)
        self._round = max(1, round(per_second * _ROUND_SECONDS))
        self._number = 0
        self._earlier: list[_Sendable] = []
        self._stopping = False

    @property
    def events(self) -> int:
        """How many events Kafka has acknowledged."""
        return sum(map(len, self.sent.values()))

    async def run(self) -> None:
        """Returns after the round in which `stop` was called."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers, acks="all", linger_ms=2, request_timeout_ms=15_000
        )
        await producer.start()
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while not self._stopping:
                await asyncio.gather(*(self._send(producer, *self._next()) for _ in range(self._round)))
                due = max(due + _ROUND_SECONDS, loop.time() - 1)
                await asyncio.sleep(due - loop.time())
                await self.paused.wait()
        finally:
            await producer.stop()

    def stop(self) -> None:
        """Ends it after the round that is on its way."""
        self._stopping = True
        self.paused.set()

    def _next(self) -> tuple[str | None, _Sendable]:
        """The id, None for what must be refused, and the record."""
        draw = self._rng.random()
        if draw < 0.05 and self._earlier:
            # Now and then something else under an id that is known: the first arrival counts.
            kind, key, value = self._rng.choice(self._earlier)
            event = json.loads(value)
            if draw < 0.01:
                event["region"] = "CN-99"
                value = json.dumps(event).encode()
            return event["event_id"], (kind, key, value)
        kind = self._rng.choices(tuple(self.sent), (70, 20, 4, 4, 2))[0]
        key, event = self._event(kind)
        if draw > 0.99:
            return None, (
                kind,
                key,
                self._rng.choice(
                    (b"{not json", b"[]", json.dumps({**event, "user_id": 7, "item_id": 7, "cost": "-"}).encode())
                ),
            )
        sendable = kind, key, json.dumps(event).encode()
        if len(self._earlier) < _REMEMBERED:
            self._earlier.append(sendable)
        else:
            self._earlier[self._rng.randrange(_REMEMBERED)] = sendable
        return event["event_id"], sendable

    def _event(self, kind: str) -> tuple[bytes, dict[str, Any]]:
        self._number += 1
        rng, number = self._rng, self._number
        event: dict[str, Any] = {
            "event_id": f"{self.campaign}-{number}",
            "event_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "campaign_id": self.campaign,
            "user_id": f"u{rng.randrange(5_000)}",
            "channel": rng.choice(("app", "web", "live")),
            "region": "CN-31",
        }
        more: dict[str, Any]
        money = f"{rng.randrange(1, 100_000) / 100:.2f}"
        match kind:
            case "traffic":
                return event["user_id"].encode(), {**event, "event_name": "page_view", "session_id": f"s{number % 900}"}
            case "orders":
                name = rng.choice(("order_created", "order_paid", "order_refunded"))
                items = [{"item_id": f"i{number % 50}", "quantity": 1, "price": money}]
                more = {"order_id": f"o{number}", "value": money, "currency": "CNY", "items": items}
                return f"o{number}".encode(), {**event, "event_name": name, **more}
            case "coupons":
                more = {"coupon_id": f"c{number}", "batch_id": "b1", "face_value": money, "currency": "CNY"}
                return f"c{number}".encode(), {**event, "event_name": "coupon_redeemed", **more}
            case "inventory":
                more = {"item_id": f"i{number % 50}", "available": rng.randrange(1000)}
                return more["item_id"].encode(), {**event, "event_name": "stock_level", **more}
            case _:
                more = {"cost": money, "currency": "CNY", "clicks": 3, "impressions": 70}
                return event["channel"].encode(), {**event, "event_name": "ad_spend", **more}

    async def _send(self, producer: AIOKafkaProducer, event_id: str | None, sendable: _Sendable) -> None:
        kind, key, value = sendable
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    await (await producer.send(self._settings.topics[kind], value, key))
                    break
                except KafkaError:
                    await asyncio.sleep(0.2)
        if event_id is not None:
            self.sent[kind].add(event_id)


@asynccontextmanager
async def feeding(feed: Feed) -> AsyncIterator[asyncio.Task[None]]:
    """The feed runs for the length of a `with` block and stops in order; what went wrong in it is raised."""
    task = asyncio.create_task(feed.run(), name="feed")
    try:
        yield task
        feed.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, KafkaError):
            await task
