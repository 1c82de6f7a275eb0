"""A child on one core, with a festival in a chDB of its own: the metrics service as it is, or a naive stream."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from services.common.access.service import unguarded
from services.common.runtime import run_services
from services.common.service import Service
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.metrics.service import MetricsService
from tests.bench.viewers.festival import CAMPAIGN, make_festival
from tests.bench.viewers.naive import NaiveService


def main(directory: Path, port: int, core: int, kind: str) -> None:
    """Serves until it is told to stop."""
    os.sched_setaffinity(0, {core})
    store = open_store(f"chdb://{directory}", timeout_seconds=60)
    try:
        migrate(store)
        make_festival(store, datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000"))
        uvloop.run(_serve(kind, store, port))
    finally:
        store.close()


async def _serve(kind: str, store: Store, port: int) -> None:
    service: Service = NaiveService(store, CAMPAIGN) if kind == "naive" else MetricsService(Settings(), store)
    async with asyncio.timeout(600):
        await run_services([service], unguarded(), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
