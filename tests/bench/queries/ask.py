"""A child process: builds a festival, folds it, and answers questions over HTTP while ingest runs in the same process,
as in `warroom standalone`. Prints what it measured as JSON."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import uvloop
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from services.common.clock import wall_clock
from services.common.kafka import ensure_topics
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store, StorePool
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from services.metrics.folding import Folder
from services.metrics.service import MetricsService
from tests.bench.queries.festival import HOURS, Festival
from tests.bench.queries.produce import Stream
from tests.bench.task import hush

_TIMEOUT_SECONDS = 300
_POLL_SECONDS = 0.01


class Task(msgspec.Struct, frozen=True):
    """What to build and ask."""

    bootstrap_servers: str
    prefix: str
    directory: str
    events: int
    campaigns: int
    rate: int
    repeats: int
    markers: int
    """Events whose way to a number is timed; 0 for none."""


def questions(end: datetime) -> dict[str, str]:
    """Paths of campaign `c0`, by what they are called."""

    def moment(hours: float) -> str:
        return quote((end - timedelta(hours=hours)).isoformat())

    series = f"from={moment(12)}&to={moment(6)}&interval=1m&group_by=channel"
    return {
        "overview": "overview",
        "series": f"timeseries?metrics=gmv,uv&{series}&limit=10000",
        "items": "breakdown?dimension=item_id&metrics=gmv,orders_paid,aov&order_by=-gmv&limit=20",
        "funnel": "funnel",
    }


async def run(task: Task) -> dict[str, Any]:
    """Everything in turn."""
    kept = _made(task).exists()
    if not kept:
        # What a run that was cut off has left.
        shutil.rmtree(task.directory, ignore_errors=True)
    store = open_store(f"chdb://{task.directory}", timeout_seconds=_TIMEOUT_SECONDS)
    migrate(store)
    end = _festival(store, task)
    settings = Settings(
        kafka_bootstrap_servers=task.bootstrap_servers,
        topic_prefix=task.prefix,
        topic_partitions=1,
        clickhouse_url=SecretStr(f"chdb://{task.directory}"),
    )
    await ensure_topics(settings)
    found: dict[str, Any] = {"events": task.events, "campaigns": task.campaigns}
    stop = asyncio.Event()
    ingest, metrics = IngestService(settings, store), MetricsService(settings, store)
    running = [asyncio.create_task(ingest.run(stop))]
    async with asyncio.timeout(60):
        while ingest.not_ready() is not None:  # noqa: ASYNC110  # the service tells nobody
            await asyncio.sleep(0.1)
    await _settled(store)
    folding = await _fold(store)
    if not kept:
        found["fold"] = folding
    running.append(asyncio.create_task(metrics.run(stop)))
    try:
        async with _producer(settings, task.rate), _client(metrics) as client:
            await asyncio.sleep(3)
            if task.repeats:
                found["milliseconds"] = {
                    name: await _timed(client, f"/api/v1/campaigns/c0/{path}", task.repeats)
                    for name, path in questions(end).items()
                }
                found["uv_error"] = await _uv_error(store, client, end)
            if task.markers:
                found["seen_after"] = await _freshness(settings, client, task.markers)
    finally:
        stop.set()
        await asyncio.gather(*running)
        store.close()
    return found


def _made(task: Task) -> Path:
    """Holds the end of the festival once all of it is made."""
    return Path(f"{task.directory}.made")


def _festival(store: Store, task: Task) -> datetime:
    """Makes the festival, unless it was made and kept; returns its end."""
    made = _made(task)
    if made.exists():
        # The topics of the time before get no events any more, and would hold the watermark.
        store.command("TRUNCATE TABLE ingest_progress")
        return datetime.fromisoformat(made.read_text())
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    festival = Festival(task.events, task.campaigns, int(end.timestamp()))
    festival.build(store, lambda line: print(line, file=sys.stderr, flush=True))
    made.write_text(end.isoformat())
    return end


async def _settled(store: Store) -> None:
    """Waits until the merges that building left behind are done: they go on for minutes, and no festival has them."""
    async with asyncio.timeout(1_200):
        quiet = 0
        while quiet < 5:
            (row,) = await asyncio.to_thread(store.query, "SELECT count() AS merges FROM system.merges")
            quiet = 0 if row["merges"] else quiet + 1
            await asyncio.sleep(0.5)


async def _fold(store: Store) -> dict[str, float]:
    pool = StorePool(store, threads=1, name="bench")
    folder = Folder(pool, wall_clock)
    began, used = time.monotonic(), time.process_time()
    # Until ingest has told its watermark there is nothing to fold.
    async with asyncio.timeout(1_800):
        rows = 0
        while True:
            behind = await folder.fold_due()
            (row,) = await pool.query("SELECT sum(rows) AS rows FROM folds")
            rows = int(row["rows"])
            if not behind and rows:
                break
            if not rows:
                await asyncio.sleep(1)
    await folder.compact()
    await pool.close()
    return {
        "seconds": time.monotonic() - began,
        "cpu_us_per_event": (time.process_time() - used) / rows * 1e6,
        "rows": rows,
    }


@asynccontextmanager
async def _producer(settings: Settings, rate: int) -> AsyncIterator[None]:
    assert settings.kafka_bootstrap_servers is not None
    stream = Stream(settings.kafka_bootstrap_servers, settings.topics["traffic"], rate)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.queries.produce",
        msgspec.json.encode(stream).decode(),
        stdin=subprocess.PIPE,
    )
    try:
        yield
    finally:
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()


@asynccontextmanager
async def _client(metrics: MetricsService) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app([metrics]))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=_TIMEOUT_SECONDS) as client:
        yield client


async def _timed(client: httpx.AsyncClient, path: str, repeats: int) -> list[float]:
    taken = []
    for number in range(repeats + 1):
        began = time.perf_counter()
        answer = await client.get(path)
        answer.raise_for_status()
        if number:
            taken.append((time.perf_counter() - began) * 1000)
    return taken


async def _uv_error(store: Store, client: httpx.AsyncClient, end: datetime) -> float:
    """The largest relative error of a day's `uv` of `c0`, of the whole and by channel."""
    since = end - timedelta(hours=HOURS)
    period = f"from={quote(since.isoformat())}&to={quote(end.isoformat())}"
    exact = await asyncio.to_thread(
        store.query,
        """
        SELECT toString(channel) AS channel, uniqExact(user_id) AS users
        FROM traffic_events
        WHERE campaign_id = 'c0'
            AND event_time >= toDateTime({since:UInt32}, 'UTC') AND event_time < toDateTime({until:UInt32}, 'UTC')
        GROUP BY GROUPING SETS ((channel), ())
        """,
        {"since": int(since.timestamp()), "until": int(end.timestamp())},
    )
    answer = await client.get(f"/api/v1/campaigns/c0/breakdown?dimension=channel&metrics=uv&{period}")
    told: dict[str, int] = {row["channel"]: row["uv"] for row in answer.json()["rows"]}
    answer = await client.get(f"/api/v1/campaigns/c0/overview?{period}")
    told[""] = answer.json()["metrics"]["uv"]
    return max(abs(told[row["channel"]] / int(row["users"]) - 1) for row in exact)


async def _freshness(settings: Settings, client: httpx.AsyncClient, markers: int) -> list[float]:
    """Seconds from the moment an order is handed to Kafka until the overview's GMV has it."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=0)
    await producer.start()
    taken = []
    # A festival that was kept may hold the markers of the time before.
    campaign = f"marker-{wall_clock()}"
    try:
        for number in range(markers):
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            order = {
                "event_id": f"{campaign}-{number}",
                "event_name": "order_created",
                "event_time": now,
                "campaign_id": campaign,
                "user_id": "u",
                "order_id": f"o{number}",
                "value": "1",
                "currency": "CNY",
            }
            began = time.perf_counter()
            await producer.send(settings.topics["orders"], msgspec.json.encode(order), key=b"k")
            async with asyncio.timeout(60):
                while True:
                    answer = await client.get(f"/api/v1/campaigns/{campaign}/overview")
                    if answer.status_code == 200 and answer.json()["metrics"]["orders_created"] == number + 1:
                        break
                    await asyncio.sleep(_POLL_SECONDS)
            taken.append(time.perf_counter() - began)
    finally:
        await producer.stop()
    return taken


if __name__ == "__main__":
    hush()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(run(msgspec.json.decode(sys.argv[1], type=Task)))
    print(msgspec.json.encode(told).decode(), flush=True)
