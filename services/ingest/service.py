"""The ingest service: one session with Kafka after another until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import random

from fastapi import APIRouter

from schemas.dead_letters import REASONS
from services.common import prometheus
from services.common.clock import Clock, wall_clock
from services.common.errors import BrokerError, StoreUnavailable
from services.common.kafka import ensure_topics
from services.common.people import PersonKey, choose_key
from services.common.settings import EVENT_KINDS, Settings
from services.common.store import Store, StorePool
from services.common.store.kind import check_kind
from services.ingest.rhythm import Rhythm
from services.ingest.runs import prepare
from services.ingest.session import WRITERS, Session

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class IngestService:
    """Carries the five topics into the store, each event once. Implements `services.common.service.Service`."""

    name = "ingest"

    def __init__(
        self, settings: Settings, store: Store, clock: Clock = wall_clock, *, rhythm: Rhythm | None = None
    ) -> None:
        """`settings` must name Kafka, and the store's migrations must have been applied before `run`."""
        self.router = APIRouter()
        self._settings = settings
        self._store = store
        self._clock = clock
        self._rhythm = rhythm or Rhythm()
        self._session: Session | None = None
        self._trouble = "starting, and connecting to Kafka"
        _begin_series(settings)

    def not_ready(self) -> str | None:
        """See `Service`."""
        return self._session.not_ready() if self._session is not None else self._trouble

    def handled(self) -> int:
        """How many records are in the tables or among the dead letters, over the whole logs; 0 without a session.

        Counts offsets, so it is right for logs without transactions.
        """
        return sum(self._session.complete_to().values()) if self._session is not None else 0

    async def report(self) -> None:
        """Writes at once how far it has come. Nothing without a session. Raises `BrokerError`."""
        if self._session is not None:
            await self._session.report()

    async def run(self, stop: asyncio.Event) -> None:
        """See `Service`. Kafka and the store may be away for any time; nothing is lost by that."""
        # One thread more than writers, for progress and restoring.
        pool = StorePool(self._store, threads=WRITERS + 1, name="ingest")
        pause = _FIRST_PAUSE
        try:
            await asyncio.to_thread(prepare)
            # What is there now stays: the garbage collector need not go through it again and again.
            gc.collect()
            gc.freeze()
            while not stop.is_set():
                started = asyncio.get_running_loop().time()
                try:
                    await ensure_topics(self._settings)
                    key = await self._key(pool, stop)
                    if stop.is_set():
                        break
                    self._session = Session(self._settings, pool, self._clock, self._rhythm, key)
                    await self._session.run(stop)
                except BrokerError as error:
                    self._trouble = f"Kafka: {error}"
                    logger.warning("session with Kafka ended, beginning anew", extra={"error": str(error)})
                finally:
                    self._session = None
                if asyncio.get_running_loop().time() - started > 60:
                    pause = _FIRST_PAUSE
                await _wait(stop, pause * random.uniform(0.5, 1.5))
                pause = min(_LONGEST_PAUSE, pause * 2)
        finally:
            self._trouble = "stopped"
            await pool.close()

    async def _key(self, pool: StorePool, stop: asyncio.Event) -> PersonKey | None:
        """As `choose_key` and `check_kind`, with all patience for a store that is away. Told to stop, whatever.

        Asked anew in every session: while there was none, somebody may have changed the key.
        """
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                await pool.call(check_kind)
                return await pool.call(lambda store: choose_key(store, self._settings))
            except StoreUnavailable as error:
                self._trouble = f"the store: {error}"
                logger.warning("the store does not tell how people are named in it", extra={"error": str(error)})
            await _wait(stop, pause * random.uniform(0.5, 1.5))
            pause = min(_LONGEST_PAUSE, pause * 2)
        return None


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


def _begin_series(settings: Settings) -> None:
    """Series begin at zero, not with the first event that they count: a rate over the first would not see it."""
    for kind in EVENT_KINDS:
        for counter in (
            prometheus.INGEST_RECORDS,
            prometheus.INGEST_ROWS,
            prometheus.INGEST_DUPLICATES,
            prometheus.INGEST_REPLAYS,
        ):
            counter.labels(kind)
        for reason in REASONS:
            prometheus.INGEST_REFUSALS.labels(kind, reason)
        prometheus.INGEST_MISSING_RECORDS.labels(settings.topics[kind])
