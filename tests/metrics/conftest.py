"""The metrics service over HTTP, on a real store, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.metrics.service import MetricsService
from services.metrics.snapshot import Snapshots
from services.metrics.wall.lens import Lens
from tests.support.shapes import judged
from tests.support.store import WAYS, by_way, fresh_campaign

NOW_MS = 1_794_355_230_000  # 2026-11-11T00:00:30Z


@dataclass
class Desk:
    """A client of the service and a campaign of its own; `now_ms` is the service's clock.

    Every answer that the client gets is held against the OpenAPI document.
    """

    client: httpx.AsyncClient
    campaign: str
    store: Store
    now_ms: int = NOW_MS

    @property
    def path(self) -> str:
        return f"/api/v1/campaigns/{self.campaign}"

    @asynccontextmanager
    async def snapshots(self, filters: Mapping[str, str] | None = None) -> AsyncIterator[Snapshots]:
        """What the stream of the campaign tells, by the desk's clock."""
        lens = Lens.of(self.campaign, {name: (value,) for name, value in (filters or {}).items()})
        pool = StorePool(self.store, threads=2, name="test")
        source = Snapshots(lens, pool, Settings(), lambda: self.now_ms)
        try:
            yield source
        finally:
            await source.close()
            await pool.close()


@pytest.fixture(scope="session", params=WAYS)
def store(request: pytest.FixtureRequest, store: Store) -> Store:
    return by_way(request, store)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    current: list[Desk] = []
    service = MetricsService(Settings(), store, clock=lambda: current[0].now_ms, background=False)
    stop = asyncio.Event()
    transport = httpx.ASGITransport(build_app([service]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://warroom") as client:
        current.append(Desk(judged(client), fresh_campaign("desk"), store))
        running = asyncio.create_task(service.run(stop))
        yield current[0]
        stop.set()
        await asyncio.wait_for(running, 60)
