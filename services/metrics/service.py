"""The metrics service: numbers over HTTP, the live stream, and the page."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter

from services.common.clock import Clock, wall_clock
from services.common.errors import StoreError
from services.common.query.engine import QueryEngine
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.metrics.asking import Asking
from services.metrics.attribution import build_attribution_router
from services.metrics.campaigns import CampaignBook
from services.metrics.cohorts import build_cohorts_router
from services.metrics.dead_letters import build_letter_router
from services.metrics.experiments import build_experiments_router
from services.metrics.exporter import Exporter
from services.metrics.folding import Folder
from services.metrics.ladder import build_ladder_router
from services.metrics.pacing.router import build_pacing_router
from services.metrics.pages import add_pages
from services.metrics.rehearsals import build_rehearsals_router
from services.metrics.routes import build_router
from services.metrics.snapshot import Snapshots
from services.metrics.stream import Broadcasts
from services.metrics.wall.moment import Moments
from services.metrics.wall.router import build_wall_router

logger = logging.getLogger(__name__)

QUERY_THREADS = 4
REPLAY_THREADS = 2
CHECK_SECONDS = 2.0


class MetricsService:
    """Answers from the store; holds no state of its own but what viewers of the stream share.

    `background` folds, which keeps the tables by span up to date, and exports business metrics. Not for a store into
    which events are written that claim to have arrived long ago: folds would leave them out.
    """

    name = "metrics"

    def __init__(self, settings: Settings, store: Store, clock: Clock = wall_clock, *, background: bool = True) -> None:
        self._pool = StorePool(store, threads=QUERY_THREADS, name="metrics")
        # A thread of its own: who asks must not wait for a fold.
        self._folding_pool = StorePool(store, threads=1, name="folding")
        self._folder = Folder(self._folding_pool, clock)
        # Nor must the live screens wait for someone who replays a night at sixty times its speed.
        self._replay_pool = StorePool(store, threads=REPLAY_THREADS, name="replays")
        self._background = background
        engine = QueryEngine(self._pool)
        book = CampaignBook(self._pool, clock, settings.reporting_currency)
        self._broadcasts = Broadcasts(lambda lens: Snapshots(lens, self._pool, settings, clock))
        self._exporter = Exporter(self._pool, engine, book, settings.reporting_currency, clock, settings.external_url)
        self.router = APIRouter()
        asking = Asking(self._pool, engine, book, clock)
        self.router.include_router(build_router(asking))
        moments = Moments(self._replay_pool, settings, clock)
        self.router.include_router(build_wall_router(book, self._broadcasts, moments))
        self.router.include_router(build_pacing_router(asking))
        self.router.include_router(build_ladder_router(asking, settings.brushing_orders_per_hour))
        self.router.include_router(build_attribution_router(asking))
        self.router.include_router(build_cohorts_router(asking))
        self.router.include_router(build_experiments_router(asking))
        self.router.include_router(build_letter_router(self._pool, settings, clock))
        self.router.include_router(build_rehearsals_router(settings.rehearsals_dir))
        add_pages(self.router)
        self._reason: str | None = "has not reached the store yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Watches whether the store answers, folds, and exports business metrics; the runtime serves the requests."""
        tasks = []
        if self._background:
            tasks = [
                asyncio.create_task(self._exporter.run(stop), name="business-metrics"),
                asyncio.create_task(self._folder.run(stop), name="metrics-folding"),
            ]
        while not stop.is_set():
            try:
                await self._pool.query("SELECT count() FROM campaigns")
                self._reason = None
            except StoreError as error:
                if self._reason is None:
                    logger.warning("store does not answer", extra={"error": str(error)})
                self._reason = "the store does not answer"
            try:
                await asyncio.wait_for(stop.wait(), CHECK_SECONDS)
            except TimeoutError:
                continue
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._broadcasts.close()
        await self._folding_pool.close()
        await self._replay_pool.close()
        await self._pool.close()

    def not_ready(self) -> str | None:
        """Ready when the store has answered lately."""
        return self._reason
