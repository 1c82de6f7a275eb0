"""A child process of the benchmark: ingest as a member of a group, with a store of its own.

Says `warm` when its smaller backlog is in, joins the group when it is told to go on, and from then on says what it has
handled, until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
import uvloop

from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from tests.bench.ingest import handled, waits_for_group
from tests.bench.sharing import Sample
from tests.bench.task import Task, read_task

_LOOK_SECONDS = 0.02
_SAY_SECONDS = 0.2
_WARM_SECONDS = 120


async def member(task: Task) -> None:
    """Works until standard input ends."""
    store = open_store(f"chdb://{task.directory}", timeout_seconds=60)
    migrate(store)
    try:
        # Settings that name no store make it join the group, as before a ClickHouse server.
        warm, end = IngestService(task.warm_settings(), store), asyncio.Event()
        warming = asyncio.create_task(warm.run(end))
        async with asyncio.timeout(_WARM_SECONDS):
            while handled() < task.warm_events and not warming.done():  # noqa: ASYNC110  # the service tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
        end.set()
        await warming
        print("warm", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        stop = asyncio.Event()
        service = IngestService(task.settings(), store)
        reading = asyncio.create_task(_until_closed(stop))
        telling = asyncio.create_task(_tell(service))
        await service.run(stop)
        telling.cancel()
        await reading
    finally:
        store.close()


async def _until_closed(stop: asyncio.Event) -> None:
    await asyncio.to_thread(sys.stdin.read)
    stop.set()


async def _tell(service: IngestService) -> None:
    """At every change, and now and then for the CPU in between."""
    before, said = handled(), Sample(at=0, assigned=False, handled=-1, cpu=0)
    while True:
        now = Sample(
            at=time.monotonic(),
            assigned=not waits_for_group(service),
            handled=int(handled() - before),
            cpu=time.process_time(),
        )
        if (now.assigned, now.handled) != (said.assigned, said.handled) or now.at - said.at > _SAY_SECONDS:
            print(msgspec.json.encode(now).decode(), flush=True)
            said = now
        await asyncio.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    uvloop.run(member(read_task()))
