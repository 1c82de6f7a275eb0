"""The metrics service: numbers over HTTP, the live stream, and the page."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

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
from services.metrics.routes import build_router
from services.metrics.snapshot import Snapshots
from services.metrics.stream import Broadcasts

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "web" / "dist"
QUERY_THREADS = 4
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
        self._background = background
        engine = QueryEngine(self._pool)
        book = CampaignBook(self._pool, clock, settings.reporting_currency)
        self._broadcasts = Broadcasts(
            lambda campaign_id: Snapshots(campaign_id, self._pool, settings.reporting_currency, clock)
        )
        self._exporter = Exporter(self._pool, engine, book, settings.reporting_currency, clock)
        self.router = APIRouter()
        asking = Asking(self._pool, engine, book, clock)
        self.router.include_router(build_router(asking, self._broadcasts))
        self.router.include_router(build_pacing_router(asking))
        self.router.include_router(build_ladder_router(asking, settings.brushing_orders_per_hour))
        self.router.include_router(build_attribution_router(asking))
        self.router.include_router(build_cohorts_router(asking))
        self.router.include_router(build_experiments_router(asking))
        self.router.include_router(build_letter_router(self._pool, settings, clock))
        _add_page(self.router)
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
        await self._pool.close()

    def not_ready(self) -> str | None:
        """Ready when the store has answered lately."""
        return self._reason


def _add_page(router: APIRouter) -> None:
    """The page at `/` and its files, which are built by `make setup`."""

    @router.get("/", include_in_schema=False)
    async def page() -> Response:
        index = PAGE / "index.html"
        if not index.is_file():
            return PlainTextResponse("The page is not built; run `make setup`.\n", status_code=503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        file = PAGE / "assets" / name
        if "/" in name or ".." in name or not file.is_file():
            return PlainTextResponse("Not found\n", status_code=404)
        # The build puts a hash of the content into each name.
        return FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @router.get("/favicon.svg", include_in_schema=False)
    async def icon() -> Response:
        file = PAGE / "favicon.svg"
        return FileResponse(file) if file.is_file() else PlainTextResponse("Not found\n", status_code=404)
