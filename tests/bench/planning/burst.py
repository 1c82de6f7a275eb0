"""A real burst against the model of `services/planning/opening.py`.

A child runs ingest on the embedded broker and store. First it works off a backlog, from which the model learns what an
event costs on this machine at this moment and how much of the machine ingest got. Then events trickle in, and suddenly
many times more than it can carry. What was really in Kafka at each moment is what the model is given.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from services.common.settings import EVENT_KINDS
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from services.planning.opening import STEP_SECONDS, Process, simulate
from tests.bench.backlog import BATCH_BYTES, Records, events, fill
from tests.bench.ingest import carry, handled, waits_for_group
from tests.bench.report import OWN_THREADS, Figure
from tests.bench.task import CHILD_SECONDS, Task, hush
from tests.support.broker import running_broker

_COLUMN = "planning"
_WARM = 5_000
_CALIBRATION = 40_000
_BASE = 1_000
_BEFORE_SECONDS, _AFTER_SECONDS = 5.0, 10.0
_PORTION_SECONDS = 0.1
_LONGEST_SECONDS = 240.0

Say = Callable[[str], None]
Curve = list[tuple[float, float]]
"""Moments in seconds since the epoch, and how many events by then."""


class Told(msgspec.Struct, frozen=True):
    """What the child is to do."""

    task: Task
    live_prefix: str
    live_events: int


class Said(msgspec.Struct):
    """How the backlog went, as `carry` says it, and how many of the live events were in the tables when."""

    backlog: dict[str, Any]
    written: Curve


async def ingest_live(told: Told) -> Said:
    """Says "ready" when the live events may come."""
    task = told.task
    url = f"chdb://{task.directory}"
    store = open_store(url, timeout_seconds=60)
    migrate(store)
    secret = SecretStr(url)
    try:
        await carry(task.warm_settings(clickhouse_url=secret), store, task.warm_events, task.broker_pid)
        backlog = await carry(task.settings(clickhouse_url=secret), store, task.events, task.broker_pid)
        settings = task.settings(clickhouse_url=secret).model_copy(
            update={"topic_prefix": told.live_prefix, "consumer_group": "burst-live"}
        )
        service, stop, before = IngestService(settings, store), asyncio.Event(), handled()
        running = asyncio.create_task(service.run(stop))
        written: Curve = []
        async with asyncio.timeout(_LONGEST_SECONDS):
            while waits_for_group(service):  # noqa: ASYNC110  # the service tells nobody
                await asyncio.sleep(0.01)
            print("ready", flush=True)
            while not written or written[-1][1] < told.live_events:
                written.append((time.time(), handled() - before))
                await asyncio.sleep(0.05)
        stop.set()
        await running
        return Said(backlog, written)
    finally:
        store.close()


def measure_burst(number: int, cache: Path, say: Say) -> tuple[list[Figure], dict[str, Any]]:
    """The figures, and both curves. `number` events come at once."""
    live = [record for portion in events(number, cache) for record in portion]
    trickle = round(_BASE * _PORTION_SECONDS)
    before, after = (round(seconds / _PORTION_SECONDS) for seconds in (_BEFORE_SECONDS, _AFTER_SECONDS))
    spare = (before + after) * trickle
    assert spare < number
    with (
        tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory,
        running_broker(Path(directory) / "broker") as broker,
    ):
        store = Path(directory) / "store"
        store.mkdir()
        task = Task(
            broker.bootstrap_servers,
            broker.pid,
            "back.",
            _CALIBRATION,
            "warm.",
            _WARM,
            str(store),
            "burst",
            "burst-warm",
        )
        ones = dict.fromkeys(EVENT_KINDS, 1)
        asyncio.run(fill(task.warm_settings(), ones, events(_WARM, cache)))
        asyncio.run(fill(task.settings(), ones, events(_CALIBRATION, cache)))
        settings = task.settings().model_copy(update={"topic_prefix": "live."})
        asyncio.run(fill(settings, ones, iter(())))
        told = Told(task, "live.", number)
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.planning.burst", msgspec.json.encode(told).decode()],
            stdout=subprocess.PIPE,
        )
        timer = threading.Timer(CHILD_SECONDS, child.kill)
        timer.start()
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n", "ingest ended"
            portions = [
                *(live[at * trickle : (at + 1) * trickle] for at in range(before)),
                live[before * trickle : number - after * trickle],
                *(live[number - (after - at) * trickle : number - (after - at - 1) * trickle] for at in range(after)),
            ]
            arrived = asyncio.run(_send(settings.kafka_bootstrap_servers or "", settings.topics, portions))
            said = msgspec.json.decode(child.stdout.read(), type=Said)
            assert child.wait(30) == 0
        finally:
            timer.cancel()
            child.kill()
            child.wait(10)
    size = sum(len(value) for _, _, value in live) / number
    found = compare(arrived, said, Counter(kind for kind, _, _ in live), size)
    say(
        f"planning: burst of {number:,}: most lag {found['peak']:,.0f}, model {found['model_peak']:,.0f}; all in after "
        f"{found['seconds']:.1f} s, model {found['model_seconds']:.1f} s"
    )
    return figures(found), found


def compare(arrived: Curve, said: Said, kinds: Counter[str], size: float) -> dict[str, Any]:
    """The lag that was and the lag of the model, ten times a second, from the first event on."""
    run = said.backlog
    own = sum(cost for name, cost in run["threads_cpu_us_per_event"].items() if _own(name))
    whole = run["cpu_us_per_event"]
    process = Process(
        lanes=[kinds[kind] for kind in EVENT_KINDS if kinds[kind]],
        own_us=own,
        store_us=max(0.0, whole - own),
        block_ms=0.0,
        cores=run["events_per_second"] * whole / 1e6,
        event_bytes=size,
    )
    start = arrived[0][0]
    rates = _rates(arrived, start)
    length = max(said.written[-1][0], arrived[-1][0]) - start
    opening = simulate(process, lambda at: rates.get(int(at / STEP_SECONDS), 0.0), length * 3 + 10)
    curve = [
        (sample.at, _at(arrived, start + sample.at) - _at(said.written, start + sample.at), sample.lag)
        for sample in opening.samples
        if sample.at <= length
    ]
    peak = max(real for _, real, _ in curve)
    number = arrived[-1][1]
    done = next(
        (sample.at for sample in opening.samples if sample.written >= number * (1 - 1e-6)), opening.samples[-1].at
    )
    return {
        "cores": process.cores,
        "own_us": own,
        "store_us": process.store_us,
        "capacity": process.capacity,
        "events": number,
        "peak": peak,
        "model_peak": max(model for _, _, model in curve),
        "seconds": said.written[-1][0] - start,
        "model_seconds": done,
        "difference": sum(abs(real - model) for _, real, model in curve) / len(curve) / max(1.0, peak),
        "curve": curve,
    }


def figures(found: dict[str, Any]) -> list[Figure]:
    """The model against what was."""
    return [
        Figure(_COLUMN, "burst: most lag", round(found["peak"]), "events"),
        Figure(_COLUMN, "burst: most lag, model / measured", round(found["model_peak"] / max(1, found["peak"]), 2)),
        Figure(_COLUMN, "burst: until all was in", round(found["seconds"], 1), "s"),
        Figure(
            _COLUMN, "burst: until all was in, model / measured", round(found["model_seconds"] / found["seconds"], 2)
        ),
        Figure(_COLUMN, "burst: mean difference of the lags / most lag", round(found["difference"], 3)),
    ]


def _own(thread: str) -> bool:
    return not OWN_THREADS.get(thread, "ClickHouse").startswith("ClickHouse")


async def _send(servers: str, topics: dict[str, str], portions: Sequence[Records]) -> Curve:
    """Sends a portion each tenth of a second, or as soon as the one before is in Kafka; says how many were when."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_batch_size=BATCH_BYTES)
    await producer.start()
    try:
        arrived: Curve = [(time.time(), 0)]
        due = asyncio.get_running_loop().time()
        for portion in portions:
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            due = max(due, asyncio.get_running_loop().time()) + _PORTION_SECONDS
            await _portion(producer, topics, portion, arrived)
    finally:
        await producer.stop()
    return arrived


async def _portion(producer: AIOKafkaProducer, topics: dict[str, str], portion: Records, arrived: Curve) -> None:
    batches: dict[str, Any] = {}

    async def send(kind: str) -> None:
        batch = batches.pop(kind)
        count = batch.record_count()
        await (await producer.send_batch(batch, topics[kind], partition=0))
        arrived.append((time.time(), arrived[-1][1] + count))

    for kind, key, value in portion:
        if kind not in batches or batches[kind].append(key=key, value=value, timestamp=None) is None:
            if kind in batches:
                await send(kind)
            batches[kind] = producer.create_batch()
            batches[kind].append(key=key, value=value, timestamp=None)
    for kind in list(batches):
        await send(kind)


def _rates(arrived: Curve, start: float) -> dict[int, float]:
    found: dict[int, float] = {}
    for (_, less), (at, more) in itertools.pairwise(arrived):
        step = int((at - start) / STEP_SECONDS)
        found[step] = found.get(step, 0.0) + (more - less) / STEP_SECONDS
    return found


def _at(curve: Curve, moment: float) -> float:
    place = bisect.bisect_right(curve, moment, key=lambda point: point[0])
    return curve[place - 1][1] if place else 0.0


if __name__ == "__main__":
    hush()
    print(msgspec.json.encode(uvloop.run(ingest_live(msgspec.json.decode(sys.argv[1], type=Told)))).decode())
