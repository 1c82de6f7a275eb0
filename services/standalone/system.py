"""The whole system in one process: broker, store, services, in the order in which they need each other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.common.access.service import AccessService, refuse_open_door
from services.common.edge import rules_of
from services.common.errors import ConfigurationError
from services.common.runtime import run_services
from services.common.service import Service
from services.common.settings import Settings, load_settings
from services.common.store import Store
from services.common.store.clickhouse import store_of
from services.common.store.lifetime import apply_lifetimes
from services.common.store.migrate import migrate
from services.standalone.broker import EmbeddedBroker, can_listen, holds_within
from services.standalone.keeper import BrokerKeeper
from services.standalone.lock import DirectoryLock
from services.standalone.members import evict_members
from services.standalone.stopping import StopRequest
from services.standalone.trim import Trimmer

logger = logging.getLogger(__name__)

_HTTP_PORT_SECONDS = 3.0
_BROKER_SECONDS_AT_LEAST = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a standalone lives: its directory and its two ports."""

    data_dir: Path
    http_port: int
    kafka_port: int
    host: str | None = None
    """The address for HTTP; None takes it from the settings."""


def standalone_settings(place: Place, usual: Mapping[str, object] | None = None) -> tuple[Settings, bool]:
    """The environment's settings, completed with what is embedded where they name no server.

    `usual` are further settings that hold where the environment says nothing. The second value tells whether the
    broker is an embedded one. Raises `ConfigurationError`.
    """
    given = load_settings(http_host=place.host, http_port=place.http_port)
    refuse_open_door(given)
    directory = place.data_dir.resolve()
    if not given.clickhouse_url and set("?#%") & set(str(directory)):
        raise ConfigurationError(f"the data directory {directory} has a '?', '#' or '%' in its path; choose another")
    embedded: dict[str, object] = {
        "kafka_bootstrap_servers": f"127.0.0.1:{place.kafka_port}",
        "clickhouse_url": f"chdb://{directory}/store",
        "external_url": f"http://{_reachable(given.http_host)}:{place.http_port}",
        "rehearsals_dir": directory / "rehearsals",
        # One process reads them all: more partitions would only cost it more, smaller blocks.
        "topic_partitions": 1,
        **(usual or {}),
    }
    missing = {
        name: value
        for name, value in embedded.items()
        if name not in given.model_fields_set or getattr(given, name) in (None, "")
    }
    embedded_broker = "kafka_bootstrap_servers" in missing
    if embedded_broker and given.kafka_security_protocol != "PLAINTEXT":
        raise ConfigurationError(
            f"WARROOM_KAFKA_SECURITY_PROTOCOL is {given.kafka_security_protocol}, and the embedded broker knows no TLS "
            "and no SASL; set WARROOM_KAFKA_BOOTSTRAP_SERVERS to a Kafka, or remove it"
        )
    settings = load_settings(http_host=place.host, http_port=place.http_port, **missing)
    return settings, embedded_broker


class System:
    """Starts everything, runs until it is asked to stop or a part fails, and stops everything, in this order."""

    def __init__(self, place: Place, stop: StopRequest, usual: Mapping[str, object] | None = None) -> None:
        self.settings, embedded_broker = standalone_settings(place, usual)
        self._stop = stop
        self._lock = DirectoryLock(place.data_dir)
        self._broker = EmbeddedBroker(place.data_dir, place.kafka_port) if embedded_broker else None
        self._store: Store | None = None

    @property
    def base_url(self) -> str:
        """Where this machine reaches the HTTP port."""
        return f"http://{_reachable(self.settings.http_host)}:{self.settings.http_port}"

    async def run(self, companions: Sequence[Service] = ()) -> None:
        """Returns when all is stopped after a signal; raises what made a part fail.

        `companions` run beside the services, from when these run on.
        """
        stop = self._stop.event()
        self._stop.last_resort = self._abandon
        try:
            started = time.monotonic()
            starting = asyncio.create_task(self._start(), name="start")
            if not await _unless(stop, starting):
                logger.info("stopped while starting")
                return
            logger.info("started", extra={"seconds": round(time.monotonic() - started, 2)})
            await run_services(
                [*self._services(), *companions],
                self._access(),
                host=self.settings.http_host,
                port=self.settings.http_port,
                rules=rules_of(self.settings),
                stop=stop,
            )
        finally:
            await self._end()

    async def _start(self) -> None:
        await self._lock.acquire()
        await self._http_port_free()
        if self._broker is not None:
            await self._broker.start()
            await evict_members(self.settings)
        await _to_its_end(asyncio.create_task(asyncio.to_thread(self._open_store)))
        from services.common.kafka.topics import ensure_topics

        await ensure_topics(self.settings)

    def _open_store(self) -> None:
        self._store = store_of(self.settings)
        migrate(self._store)
        apply_lifetimes(self._store, self.settings)

    def _services(self) -> list[Service]:
        from services.alerts.service import AlertsService
        from services.audit.service import AuditService
        from services.ingest.service import IngestService
        from services.metrics.service import MetricsService
        from services.privacy.service import PrivacyService
        from services.review.service import ReviewService

        assert self._store is not None
        services: list[Service] = [
            IngestService(self.settings, self._store),
            MetricsService(self.settings, self._store),
            AlertsService(self.settings, self._store),
            AuditService(self.settings, self._store),
            PrivacyService(self.settings, self._store),
            ReviewService(self.settings),
        ]
        if self._broker is not None:
            services.append(BrokerKeeper(self._broker, self._trimmer()))
        return services

    def _access(self) -> AccessService:
        assert self._store is not None
        return AccessService(self.settings, self._store)

    def _trimmer(self) -> Trimmer:
        return Trimmer(self.settings)

    async def _http_port_free(self) -> None:
        host, port = self.settings.http_host, self.settings.http_port
        if not await holds_within(_HTTP_PORT_SECONDS, lambda: can_listen(host, port)):
            raise ConfigurationError(
                f"the HTTP port {port} is taken by another program; choose another --http-port or stop that program"
            )

    async def _end(self) -> None:
        if self._broker is not None:
            # Less to save: an orderly stop rewrites everything that the broker holds.
            if self._broker.alive() and self._store is not None:
                await self._trimmer().trim()
            await self._broker.stop(max(_BROKER_SECONDS_AT_LEAST, self._stop.seconds_left()))
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        self._lock.release()
        logger.info("stopped")

    def _abandon(self) -> None:
        if self._broker is not None:
            self._broker.kill()


async def _unless(stop: asyncio.Event, work: asyncio.Task[None]) -> bool:
    """Awaits the work and returns True; cancels it and returns False when `stop` comes first."""
    waiter = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([work, waiter], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return True
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return False
    finally:
        waiter.cancel()


async def _to_its_end(work: asyncio.Task[None]) -> None:
    """Awaits work that must not be left half way: a cancellation waits for its end."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
