"""Campaigns that somebody invents, each with one page view, through Kafka and all three services as processes.

`python -m tests.hostile.crowd 100000` prints what so many cost: docs/hardening.md has the figures.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import psutil
from aiokafka import AIOKafkaProducer

from services.common.settings import Settings
from tests.ingest.harness import settings_for
from tests.support.broker import running_broker
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint
from tests.support.deployment import SERVICES, Deployment, deployment, environment
from tests.support.kafka import KafkaServer
from tests.support.war_room import wait_until

AT_ONCE = 4_000
"""Events of one batch of records: it stays under a megabyte."""

SECONDS = 600.0
LOOKS = {
    "alerts": "warroom_alert_evaluation_duration_seconds_count",
    "metrics": "warroom_business_refresh_duration_seconds_count",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What the services hold and say after a round of events."""

    memory: dict[str, int]
    """Resident bytes, by service."""
    scrape: dict[str, int]
    """Bytes of `/metrics`, by service."""
    list_seconds: float
    """For the first page of the list of campaigns."""


class Crowd:
    """Sends rounds of events to a deployment and says what it came to."""

    def __init__(self, services: Deployment, settings: Settings) -> None:
        self.services = services
        self._settings = settings
        self._sent = 0

    async def round(
        self, count: int, name: Callable[[int], str], *, id_of: str = "e", looks: Collection[str] = LOOKS.keys()
    ) -> Cost:
        """Sends an event of the campaign `name(number)` for each number, and returns when all are in the tables and the
        services of `looks` have looked at them."""
        await self._send(count, name, id_of)
        self._sent += count
        await asyncio.to_thread(wait_until, lambda: self._handled() >= self._sent, SECONDS, f"ingest of {self._sent:,}")
        for service in looks:
            begun = self.services.metric(service, LOOKS[service])
            looked = partial(self._looked, service, begun)
            await asyncio.to_thread(wait_until, looked, SECONDS, f"a look of {service}")
        return self.cost()

    def cost(self) -> Cost:
        """As it is now."""
        started = time.perf_counter()
        page = httpx.get(f"{self._metrics}/api/v1/campaigns?limit=50", timeout=120)
        seconds = time.perf_counter() - started
        assert page.status_code == 200, page.text
        return Cost(
            {name: psutil.Process(self.services.pid(name)).memory_info().rss for name in SERVICES},
            {name: len(self.services.get(name, "/metrics").content) for name in SERVICES},
            seconds,
        )

    def _looked(self, service: str, begun: float) -> bool:
        return self.services.metric(service, LOOKS[service]) > begun

    @property
    def _metrics(self) -> str:
        return f"http://127.0.0.1:{self.services.ports['metrics']}"

    def _handled(self) -> int:
        return int(
            sum(self.services.metric("ingest", f"warroom_ingest_{name}_total") for name in ("rows", "duplicates"))
        )

    async def _send(self, count: int, name: Callable[[int], str], id_of: str) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers, max_batch_size=1 << 20, max_request_size=2 << 20
        )
        await producer.start()
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            for first in range(0, count, AT_ONCE):
                batch = producer.create_batch()
                for number in range(first, min(count, first + AT_ONCE)):
                    value = (
                        f'{{"event_id":"{id_of}{number}","event_name":"page_view","event_time":"{at}",'
                        f'"campaign_id":"{name(number)}","user_id":"u{number % 1000}"}}'
                    ).encode()
                    assert batch.append(timestamp=None, key=None, value=value) is not None
                batch.close()
                await (await producer.send_batch(batch, self._settings.topics["traffic"], partition=0))
        finally:
            await producer.stop()


@contextmanager
def crowd(broker: KafkaServer, endpoint: Endpoint, directory: Path) -> Iterator[Crowd]:
    """A deployment of its own on the broker and the store."""
    settings = settings_for(broker, batch_max_age_ms=400)
    with deployment(directory, environment(settings, endpoint.url)) as services:
        services.run("migrate")
        services.start()
        yield Crowd(services, settings)


def invented(number: int) -> str:
    """A name as long as most: 20 characters."""
    return f"invented-{number:011}"


async def measure(count: int) -> None:
    """Prints the costs of one campaign with `count` events, and of `count` campaigns with one each."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running_broker(directory / "kafka") as broker,
            running_endpoint(directory / "store") as endpoint,
            crowd(broker, endpoint, directory) as people,
        ):
            for what, name_of, id_of in (
                ("one campaign", lambda number: "one", "one"),
                (f"{count:,} campaigns", invented, "e"),
                ("the same once more", invented, "e"),
            ):
                started = time.perf_counter()
                cost = await people.round(count, name_of, id_of=id_of)
                held = ", ".join(f"{service} {held >> 20} MiB" for service, held in cost.memory.items())
                said = ", ".join(f"{service} {size >> 10} KiB" for service, size in cost.scrape.items())
                print(f"{what}: {time.perf_counter() - started:.0f} s; {held}; scrapes: {said}", end="")
                print(f"; list {cost.list_seconds:.2f} s", flush=True)
            people.services.stop()


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1])))
