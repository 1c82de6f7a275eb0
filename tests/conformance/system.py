"""A running system that was sent the whole stream, and what is asked of it over HTTP and Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, MILLENNIUM, NEVER_PUT, PUTS
from tests.conformance.oracle import Oracle, instant
from tests.conformance.records import Record
from tests.support.war_room import WarRoom, wait_until, war_room_in

CAMPAIGNS: Final = (FESTIVAL, DST, NEVER_PUT, MILLENNIUM, LIVE)
SETTLED_SECONDS: Final = 240.0


@dataclass(frozen=True)
class Place:
    """Where a record landed in Kafka."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Letter:
    """One record of the dead letters' topic."""

    key: bytes | None
    value: bytes


@dataclass
class System:
    """The product with the stream in it, next to the oracle of the same stream."""

    room: WarRoom
    http: httpx.Client
    records: Sequence[Record]
    rates: Mapping[str, Decimal]
    places: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.oracle = Oracle(self.records, PUTS, self.rates)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON body of a call that succeeds. `from` is written `from_`."""
        answer = self.ask(path, **params)
        assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def ask(self, path: str, **params: Any) -> httpx.Response:
        """Any answer to a call below `/api/v1`."""
        query = {name.rstrip("_"): value for name, value in params.items() if value is not None}
        return self.http.get(f"/api/v1{path}", params=query)

    def put(self, campaign: str, body: Mapping[str, Any]) -> None:
        """Declares a campaign."""
        answer = self.http.put(f"/api/v1/campaigns/{campaign}", json=body)
        assert answer.is_success, answer.text

    def send(self) -> None:
        """Sends every record in its order."""
        asyncio.run(self._send())

    async def _send(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.room.kafka, enable_idempotence=True, linger_ms=5, max_request_size=4 << 20
        )
        await producer.start()
        try:
            sent = [
                await producer.send(f"campaign.{record.kind}", record.value, key=record.key) for record in self.records
            ]
            async with asyncio.timeout(180):
                landed = await asyncio.gather(*sent)
        finally:
            await producer.stop()
        self.places = [Place(found.topic, found.partition, found.offset) for found in landed]

    def settle(self) -> None:
        """Returns when all that was sent counts: no number moves and the watermark has passed the sending."""
        moment = datetime.now(UTC)
        before: list[Any] = []

        def settled() -> bool:
            nonlocal before
            first = self.ask(f"/campaigns/{FESTIVAL}/overview").json()
            if first["watermark"] is None or instant(first["watermark"]) <= moment:
                return False
            now = [self.ask(f"/campaigns/{name}/overview", to="2100-01-01T00:00:00Z").json() for name in CAMPAIGNS]
            numbers = [answer.get("metrics") for answer in now]
            same, before = numbers == before, numbers
            return same and None not in numbers

        wait_until(settled, SETTLED_SECONDS, "counting what was sent")

    def letters(self) -> list[Letter]:
        """Everything that the topic of dead letters holds."""
        return asyncio.run(self._letters())

    async def _letters(self) -> list[Letter]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.room.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            numbers = consumer.partitions_for_topic("campaign.dlq") or await _partitions(consumer)
            partitions = [TopicPartition("campaign.dlq", number) for number in numbers]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning(*partitions)
            letters: list[Letter] = []
            deadline = time.monotonic() + 30
            while any([await consumer.position(part) < end for part, end in ends.items()]):
                assert time.monotonic() < deadline, "reading the dead letters took more than 30 s"
                for found in (await consumer.getmany(timeout_ms=500)).values():
                    letters += [Letter(each.key, each.value) for each in found]
            return letters
        finally:
            await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer) -> set[int]:
    await consumer.topics()
    return set(consumer.partitions_for_topic("campaign.dlq") or ())


@contextmanager
def loaded_system(
    directory: Path, records: Sequence[Record], rates: Mapping[str, Decimal], env: Mapping[str, str]
) -> Iterator[System]:
    """A system that has counted all records; one campaign was declared before its events, one after."""
    with war_room_in(directory, env=env) as room:
        room.start()
        with httpx.Client(base_url=room.url, timeout=180) as http:
            system = System(room, http, records, rates)
            system.put(DST, PUTS[DST])
            system.send()
            system.put(FESTIVAL, PUTS[FESTIVAL])
            system.settle()
            yield system
        room.stop()
