"""A process of its own in which the product runs: ingest and metrics on an embedded store, behind a real port.

The clock of the numbers stands still at the moment that a file names; the clock of ingest is the machine's. Called with
the settings as JSON, the store's directory, that file, and a port.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from services.common.access.service import unguarded
from services.common.clock import wall_clock
from services.common.runtime import run_services
from services.common.service import Service
from services.common.settings import Settings
from services.ingest.service import IngestService
from services.metrics.service import MetricsService
from tests.support.store import embedded_store


async def main(settings: Settings, directory: Path, clock: Path, port: int) -> None:
    """Runs until it is told to stop."""

    def now() -> int:
        return int(clock.read_text()) if clock.exists() else wall_clock()

    for store in embedded_store(directory):
        services: list[Service] = [IngestService(settings, store), MetricsService(settings, store, clock=now)]
        await run_services(services, unguarded(), host="127.0.0.1", port=port)


if __name__ == "__main__":
    asyncio.run(main(Settings(**json.loads(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
