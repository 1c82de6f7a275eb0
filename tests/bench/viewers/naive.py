"""What a stream usually is: a generator a viewer, woken by a condition, sent by the framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from services.common.clock import wall_clock
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.metrics.frames import event_bytes
from services.metrics.snapshot import Snapshots
from services.metrics.wall.lens import Lens


class NaiveService:
    """The same snapshots of one campaign, encoded once a second as well."""

    name = "naive"

    def __init__(self, store: Store, campaign_id: str) -> None:
        self._pool = StorePool(store, threads=4, name="naive")
        self._snapshots = Snapshots(Lens(campaign_id), self._pool, Settings(), wall_clock)
        self._changed = asyncio.Condition()
        self._latest: tuple[int, bytes] = (0, b"")
        self._stopped = False
        self.router = APIRouter()

        @self.router.get("/api/v1/campaigns/{campaign_id}/stream")
        async def stream(campaign_id: str) -> StreamingResponse:
            return StreamingResponse(self._watch(), media_type="text/event-stream")

    async def _watch(self) -> AsyncIterator[bytes]:
        seen = 0
        while not self._stopped:
            async with self._changed:
                while self._latest[0] == seen and not self._stopped:
                    await self._changed.wait()
                seen, frame = self._latest
            yield frame

    async def run(self, stop: asyncio.Event) -> None:
        """A snapshot a second."""
        loop = asyncio.get_running_loop()
        number = 0
        while not stop.is_set():
            started = loop.time()
            tick = await self._snapshots.tick()
            number += 1
            async with self._changed:
                self._latest = number, event_bytes("snapshot", tick.snapshot, f"naive-{number}-{tick.as_of_ms}")
                self._changed.notify_all()
            await asyncio.sleep(max(0.05, 1 - (loop.time() - started)))
        self._stopped = True
        async with self._changed:
            self._changed.notify_all()
        await self._snapshots.close()
        await self._pool.close()

    def not_ready(self) -> str | None:
        """Ready at once."""
        return None
