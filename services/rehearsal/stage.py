"""The real path: broker, ingest, store, alerts and a receiver of pages, on one virtual clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from services.alerts.service import AlertsService
from services.common.errors import WarroomError
from services.common.kafka import ensure_topics
from services.common.runtime import build_app
from services.common.settings import Settings, load_settings
from services.common.store import Store, StorePool
from services.common.store.clickhouse import store_of
from services.common.store.migrate import migrate
from services.ingest.rhythm import Rhythm
from services.ingest.service import IngestService
from services.metrics.service import MetricsService
from services.rehearsal.clock import VirtualClock
from services.rehearsal.receiver import Receiver
from services.rehearsal.turnstile import Turnstile
from services.simulator.publisher import Publisher
from services.simulator.timeline import Campaign, Record
from services.standalone.broker import EmbeddedBroker
from services.standalone.trim import Trimmer

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_RHYTHM = Rhythm(linger_seconds=0.003, empty_fetch_seconds=0.004, progress_seconds=5.0, longest_age_ms=10)
"""Nobody but the driver waits for ingest, and it asks for progress itself."""

_PATIENCE_SECONDS = 180.0
"""For one step: a part that takes longer is broken."""
_STOP_SECONDS = 20.0
_LEASE_MS = 3_600_000
_KEEP_RECORDS = 2_000
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rehearsal lives. `kafka` names brokers that run already; None starts the embedded one."""

    data_dir: Path
    kafka: str | None
    kafka_port: int
    topic_prefix: str


class Stage:
    """One system. Call `open` first and `close` at last, whatever happened in between."""

    def __init__(self, place: Place, receiver: Receiver, start_ms: int) -> None:
        self.clock = VirtualClock(start_ms)
        self._place = place
        self._receiver = receiver
        self._stop = asyncio.Event()
        self._broker = None if place.kafka else EmbeddedBroker(place.data_dir, place.kafka_port)
        self.settings = self._settings()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looks = Turnstile()
        self._store: Store | None = None
        self._ingest: IngestService | None = None
        self._ingest_stop = asyncio.Event()
        self._publisher = Publisher(self.settings, self._stop)
        self._sent = 0
        self._before = 0

    @property
    def path(self) -> str:
        """What runs, in a sentence."""
        broker = "the embedded broker" if self._broker is not None else f"Kafka at {self._place.kafka}"
        return f"{broker}, ingest, embedded ClickHouse, alerts, a webhook receiver; in lockstep on a virtual clock"

    async def open(self) -> None:
        """Starts everything. Raises what keeps it from starting."""
        if self._broker is not None:
            await self._broker.start()
        self._store = await asyncio.to_thread(self._open_store)
        self.pool = StorePool(self._store, threads=1, name="rehearsal")
        await ensure_topics(self.settings)
        await self.resume_ingest()
        await self._publisher.start()
        assert self._ingest is not None
        self._before = self._ingest.handled()
        # A lease counts real time, in which a look may be long: nobody else wants it here.
        alerts = AlertsService(
            self.settings, self._store, clock=self.clock, rest=self._looks.rest, lease_ttl_ms=_LEASE_MS
        )
        self._run("alerts", alerts.run(self._stop))

    async def declare(self, campaign: Campaign) -> None:
        """Tells the API of a campaign, as whoever plans it would. Raises `WarroomError` when it refuses."""
        assert self._store is not None
        app = build_app([MetricsService(self.settings, self._store, self.clock, background=False)])
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://rehearsal") as client:
            answer = await client.put(f"/api/v1/campaigns/{quote(campaign.campaign_id)}", json=campaign.body)
        if not answer.is_success:
            raise WarroomError(f"the campaign was refused: {answer.text[:500]}")

    async def send(self, records: list[Record]) -> None:
        """Returns when Kafka has them. Raises `BrokerError`."""
        for start in range(0, len(records), _AT_ONCE):
            await self._publisher.publish(records[start : start + _AT_ONCE])
        self._sent += len(records)

    async def stop_ingest(self) -> None:
        """As when its process is stopped in order."""
        self._ingest_stop.set()
        async with asyncio.timeout(_STOP_SECONDS):
            await self._tasks.pop("ingest")
        self._ingest = None

    async def resume_ingest(self) -> None:
        """Returns when it writes what is assigned to it."""
        assert self._store is not None
        self._ingest_stop = asyncio.Event()
        self._ingest = ingest = IngestService(self.settings, self._store, self.clock, rhythm=_RHYTHM)
        self._run("ingest", ingest.run(self._ingest_stop))
        await self._alive(_until_ready(ingest))

    async def written(self) -> None:
        """Returns when all that was sent is in the tables, and ingest has said so; at once while it is stopped."""
        if self._ingest is not None:
            await self._alive(self._caught_up(self._ingest))

    async def look(self) -> None:
        """One look of the alerts service at everything, with what follows from it."""
        await self._alive(self._looks.turn())

    async def trim(self) -> None:
        """Keeps the embedded broker small; another one keeps what its topics are told to keep."""
        if self._broker is not None:
            await Trimmer(self.settings, keep=_KEEP_RECORDS, step=_KEEP_RECORDS).trim()

    async def close(self) -> None:
        """Stops everything that was started."""
        self._stop.set()
        self._ingest_stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._publisher.close()
        if self._broker is not None:
            await self._broker.stop(_STOP_SECONDS)
        if self._store is not None:
            await self.pool.close()
            await asyncio.to_thread(self._store.close)

    def _settings(self) -> Settings:
        directory = self._place.data_dir.resolve()
        servers = self._broker.bootstrap_servers if self._broker is not None else self._place.kafka
        # On a broker of its own the group is the usual one: `warroom standalone` on what was kept goes on where it
        # stopped, instead of reading everything once more, beyond the horizon of what is remembered.
        own = {} if self._broker is not None else {"consumer_group": f"{self._place.topic_prefix}rehearsal"}
        settings = load_settings(
            kafka_bootstrap_servers=servers,
            clickhouse_url=SecretStr(f"chdb://{directory}/store"),
            topic_prefix=self._place.topic_prefix,
            topic_partitions=1,
            **own,
            batch_max_age_ms=10,
            alert_webhook_url=SecretStr(self._receiver.url),
        )
        # Nobody is paged about what did not happen, whatever the environment says.
        return settings.model_copy(update={"receivers_file": None})

    def _open_store(self) -> Store:
        store = store_of(self.settings, timeout_seconds=60)
        migrate(store)
        return store

    def _run(self, name: str, work: Awaitable[None]) -> None:
        self._tasks[name] = asyncio.ensure_future(work)

    async def _caught_up(self, ingest: IngestService) -> None:
        while ingest.handled() - self._before < self._sent:  # noqa: ASYNC110  # another task's counter
            await asyncio.sleep(0.003)
        await ingest.report()

    async def _alive(self, work: Awaitable[_Result]) -> _Result:
        """Awaits something that a service does. Raises what made a service end, and `WarroomError` after minutes."""
        waiting = asyncio.ensure_future(work)
        try:
            await asyncio.wait(
                [waiting, *self._tasks.values()], timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if waiting.done():
                return waiting.result()
            for name, task in self._tasks.items():
                if task.done():
                    task.result()
                    raise WarroomError(f"{name} ended by itself")
            raise WarroomError(f"a step of the rehearsal took more than {_PATIENCE_SECONDS:.0f} s")
        finally:
            waiting.cancel()


async def _until_ready(ingest: IngestService) -> None:
    while ingest.not_ready() is not None:  # noqa: ASYNC110  # a service tells its state, and rings no bell
        await asyncio.sleep(0.005)
