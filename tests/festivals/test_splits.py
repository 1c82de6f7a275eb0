"""However the events are split into blocks, whatever is restarted in between, and in whatever order they come: the
answers are the same."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.common.access.service import unguarded
from services.common.runtime import run_services
from services.common.settings import Settings
from services.common.store import Store
from services.ingest.service import IngestService
from services.metrics.service import MetricsService
from tests.conformance.records import Record
from tests.festivals import everything
from tests.festivals.arrivals import arrivals
from tests.festivals.duck_events import Duck
from tests.festivals.flash import flash
from tests.festivals.presale import presale
from tests.festivals.regions import RATES, regions
from tests.festivals.script import Festival
from tests.festivals.system import System
from tests.ingest.harness import produce, settings_for, until_handled
from tests.support.broker import free_port
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until
from tests.support.war_room import wait_until

SEED = 11


def small(seed: int) -> list[Festival]:
    """The three festivals with few visitors, and with a part of their stock levels and ad spend."""
    rng = Random(seed)
    found = []
    for festival in (presale(seed, 70), flash(seed, 60), regions(seed, 30)):
        kept = [event for event in festival.events if event.kind not in ("inventory", "spend") or rng.random() < 0.15]
        found.append(replace(festival, events=kept))
    return found


@dataclass(frozen=True)
class Desk:
    """The product's numbers over HTTP, at a moment that a file names."""

    http: httpx.Client
    clock: Path


@pytest.fixture(scope="module")
def desk(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The metrics service on the run's own store, behind a port."""
    clock, port = tmp_path_factory.mktemp("splits") / "now", free_port()
    clock.write_text("0")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    # No folds: other tests write events into this store that claim to have arrived long ago.
    service = MetricsService(Settings(), store, clock=lambda: int(clock.read_text()), background=False)
    thread = threading.Thread(
        target=loop.run_until_complete,
        args=(run_services([service], unguarded(), host="127.0.0.1", port=port, stop=stop),),
    )
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            wait_until(lambda: _answers(http), 90, "becoming ready")
            yield Desk(http, clock)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


steps = st.lists(st.tuples(st.floats(0.02, 0.6), st.sampled_from(["go on", "stop", "crash"])), min_size=2, max_size=6)


# A smaller example would not be quicker to understand, and each takes seconds.
_LONG = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_splits = given(order=st.integers(0, 2**32), rows=st.integers(60, 900), age=st.integers(10, 150), steps=steps)


@settings(_LONG, max_examples=2)
@_splits
def test_the_answers_are_the_same(broker: KafkaServer, store: Store, desk: Desk, **how: Any) -> None:
    """Catches a block that is lost or doubled at its edges, and any number that hangs on the order of arrival."""
    assert not _problems(broker, store, desk, **how)


@pytest.mark.system
@pytest.mark.timeout(1200)
@settings(_LONG, max_examples=10)
@_splits
def test_the_answers_are_the_same_many_times(broker: KafkaServer, store: Store, desk: Desk, **how: Any) -> None:
    """The same, for longer."""
    assert not _problems(broker, store, desk, **how)


def _problems(
    broker: KafkaServer,
    store: Store,
    desk: Desk,
    *,
    order: int,
    rows: int,
    age: int,
    steps: list[tuple[float, str]],
) -> list[str]:
    # Ids of their own: the store remembers those of the examples before.
    festivals = [replace(festival, name=fresh_campaign("split")) for festival in small(SEED)]
    sent = [record for number, festival in enumerate(festivals) for record in arrivals(festival, number)]
    ingest = settings_for(broker, batch_max_rows=rows, batch_max_age_ms=age, currency_rates=RATES)
    for festival in festivals:
        assert desk.http.put(f"/api/v1/campaigns/{festival.name}", json=dict(festival.body)).is_success
    asyncio.run(_deliver(ingest, store, shuffled(sent, order), steps))
    duck = Duck(sent, {festival.name: festival.body for festival in festivals}, RATES)
    system = System(desk.http, duck, {festival.name: festival for festival in festivals}, desk.clock)
    return [line for festival in festivals for line in everything.problems(system, festival.name)]


def shuffled(records: Sequence[Record], seed: int) -> list[Record]:
    """Another order of arrival; of the records with one id the first stays the first."""
    mixed = list(enumerate(records))
    Random(seed).shuffle(mixed)
    # A refused record has no id that counts, so it may come at any place.
    places: defaultdict[Any, list[int]] = defaultdict(list)
    for place, (_, record) in enumerate(mixed):
        if record.reason is None:
            places[record.kind, event_id(record)].append(place)
    result = [record for _, record in mixed]
    for group in places.values():
        for place, (_, record) in zip(
            group, sorted((mixed[place] for place in group), key=lambda one: one[0]), strict=True
        ):
            result[place] = record
    return result


def event_id(record: Record) -> str:
    """The id that an accepted record carries."""
    assert record.value is not None
    return str(json.loads(record.value)["event_id"])


async def _deliver(ingest: Settings, store: Store, records: Sequence[Record], steps: list[tuple[float, str]]) -> None:
    """Sends the records bit by bit, while ingest is stopped or cut off after some of the bits."""
    left = [(record.kind, record.key, record.value) for record in records]
    every = list(left)
    running = _Running(ingest, store)
    for share, action in [*steps, (1.0, "go on")]:
        count = max(1, int(len(left) * share)) if left else 0
        part, left = left[:count], left[count:]
        await running.start()
        await produce(ingest, part)
        if action != "go on":
            await running.end(orderly=action == "stop")
    await running.start()
    await until_handled(store, ingest, every)
    await running.end(orderly=True)


class _Running:
    """Ingest, which may be started and ended again and again."""

    def __init__(self, ingest: Settings, store: Store) -> None:
        self._settings, self._store = ingest, store
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start(self) -> None:
        """Returns when it is ready; harmless when it runs."""
        if self._task is not None:
            return
        self._stop = asyncio.Event()
        service = IngestService(self._settings, self._store)
        task = self._task = asyncio.create_task(service.run(self._stop))
        await until(lambda: service.not_ready() is None or task.done())

    async def end(self, *, orderly: bool) -> None:
        """In order, or cut off wherever it is."""
        task, self._task = self._task, None
        assert task is not None
        if orderly:
            self._stop.set()
            async with asyncio.timeout(60):
                await task
        else:
            # Nothing is flushed, and inserts that run go on running beside the successor's.
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
