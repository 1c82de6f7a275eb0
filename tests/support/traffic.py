"""Load for a war room: unique events of known sums, sent until told to stop, each acknowledged or sent again."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

ROUND = 120
_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0


@dataclass
class Sent:
    """What Kafka has acknowledged, told as plain Python would count it."""

    page_views: int = 0
    orders: int = 0
    gmv: Decimal = Decimal(0)
    visitors: set[str] = field(default_factory=set)
    by_channel: dict[str, int] = field(default_factory=dict)
    refused: set[tuple[str, int, int]] = field(default_factory=set)
    """Topic, partition and offset of each record that has to be refused."""


class Load(threading.Thread):
    """Sends rounds of page views and orders, some of them twice, with a little garbage, in a thread of its own.

    Use as a context manager: leaving it stops the load and raises what went wrong in it.
    """

    def __init__(self, bootstrap_servers: str, campaign_id: str, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.sent = Sent()
        self._servers = bootstrap_servers
        self._campaign_id = campaign_id
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._number = 0

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Ends the load after the round that is on its way."""
        self._stopping.set()
        self.join(_PATIENCE_SECONDS)
        if self._error is not None:
            raise self._error
        assert not self.is_alive(), "the load did not end"

    def run(self) -> None:
        """The thread."""
        try:
            asyncio.run(self._send())
        except BaseException as error:
            self._error = error

    async def _send(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._servers, enable_idempotence=True, linger_ms=5)
        await producer.start()
        try:
            while not self._stopping.is_set():
                await self._round(producer)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await producer.stop()

    async def _round(self, producer: AIOKafkaProducer) -> None:
        """Every record of a round is acknowledged before the next: nobody has to guess what arrived."""
        waiting = []
        for _ in range(ROUND):
            self._number += 1
            topic, key, event = self._order() if self._random.random() < 0.25 else self._page_view()
            value = json.dumps(event).encode()
            copies = 2 if self._random.random() < 0.05 else 1
            waiting += [asyncio.create_task(_acknowledged(producer, topic, key, value)) for _ in range(copies)]
        garbage = asyncio.create_task(_acknowledged(producer, "campaign.orders", b"x", b"{not json"))
        await asyncio.gather(*waiting)
        self.sent.refused |= await garbage

    def _common(self, name: str) -> dict[str, object]:
        channel = self._random.choice(("app", "web", "live"))
        return {
            "event_id": f"e{self._number}",
            "event_name": name,
            "event_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "campaign_id": self._campaign_id,
            "user_id": f"u{self._random.randrange(900)}",
            "channel": channel,
            "region": "CN-31",
        }

    def _page_view(self) -> tuple[str, bytes, dict[str, object]]:
        event = self._common("page_view")
        self.sent.page_views += 1
        self.sent.visitors.add(str(event["user_id"]))
        channel = str(event["channel"])
        self.sent.by_channel[channel] = self.sent.by_channel.get(channel, 0) + 1
        return "campaign.traffic", str(event["user_id"]).encode(), event

    def _order(self) -> tuple[str, bytes, dict[str, object]]:
        value = Decimal(self._random.randrange(1, 100_000)) / 100
        order_id = f"o{self._number}"
        event = {**self._common("order_created"), "order_id": order_id, "value": str(value), "currency": "CNY"}
        self.sent.orders += 1
        self.sent.gmv += value
        return "campaign.orders", order_id.encode(), event


async def _acknowledged(producer: AIOKafkaProducer, topic: str, key: bytes, value: bytes) -> set[tuple[str, int, int]]:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                record = await (await producer.send(topic, value, key))
            except KafkaError:
                # Sent again under the same event_id: the broker may have it already.
                await asyncio.sleep(0.1)
                continue
            return {(record.topic, record.partition, record.offset)}
