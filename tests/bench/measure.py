"""The course of the benchmark on one broker: start it, fill it, and let everyone work off the same records in turn."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import psutil

from services.common.settings import EVENT_KINDS
from tests.bench import neighbours, report
from tests.bench.backlog import events, fill, generate, only
from tests.bench.group import run_group
from tests.bench.meter import cpu_seconds
from tests.bench.sharing import NotEnough, Share, share
from tests.bench.task import Task, run
from tests.support.broker import running_broker
from tests.support.kafka import SCRIPT, running_kafka

KINDS = ("drain", "naive", "ingest")
ONE_TOPIC_EVENTS = 300_000
"""For the comparison with others: of traffic only, in one partition, as one of them groups quickly only there."""

_FETCH_SECONDS = 600

_WARM, _ALL, _ONE = "warm.", "all.", "one."

Say = Callable[[str], None]


class Missing(Exception):
    """A broker cannot be had; says why."""


class Server(Protocol):
    """A broker that runs."""

    @property
    def bootstrap_servers(self) -> str:
        """Where clients find it."""

    @property
    def pid(self) -> int:
        """Its process id."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A broker to measure against."""

    start: Callable[[Path], AbstractContextManager[Server]]
    events: int
    remark: str
    peers: bool
    partitions: dict[str, int]
    prepare: Callable[[], None] = lambda: None
    """Raises `Missing`."""


def _fetch_kafka() -> None:
    try:
        subprocess.run([str(SCRIPT), "fetch"], check=True, timeout=_FETCH_SECONDS, stderr=subprocess.PIPE)
    except subprocess.CalledProcessError as error:
        raise Missing(error.stderr.decode(errors="replace").strip()) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(str(error)) from error


BROKERS = {
    "embedded": Kind(
        start=running_broker,
        events=300_000,
        remark="one partition a topic; it keeps everything in memory and answers a fetch with all it holds, so no more",
        peers=False,
        partitions=dict.fromkeys(EVENT_KINDS, 1),
    ),
    "kafka": Kind(
        start=running_kafka,
        events=2_000_000,
        remark="Apache Kafka, 12 partitions for traffic and 4 for each other topic; uncompressed, the clients' default",
        peers=True,
        partitions={**dict.fromkeys(EVENT_KINDS, 4), "traffic": 12},
        prepare=_fetch_kafka,
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    broker: str
    events: int
    runs: int
    cache: Path
    peers: Path | None = None
    """Where the peers' environment is or will be; None leaves them out."""
    processes: int = 0
    """How many processes share a group, each on a core; 0 leaves that out."""
    warm_events: int = 20_000
    numbers: Iterator[int] = field(default_factory=count)


def measure(plan: Plan, say: Say) -> tuple[list[report.Figure], dict[str, Any]]:
    """The figures, and all that they were made from. Raises `Missing` when the broker cannot be had."""
    kind = BROKERS[plan.broker]
    kind.prepare()
    with (
        tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory,
        kind.start(Path(directory) / "broker") as server,
    ):
        bench = Bench(plan, server, Path(directory), say)
        broker = psutil.Process(server.pid)
        before = cpu_seconds(broker)
        size = bench.fill()
        filling = (cpu_seconds(broker) - before) / (plan.events + plan.warm_events) * 1e6
        runs = bench.backlog()
        figures = report.backlog_figures(plan.broker, runs)
        figures.append(report.broker_figure(plan.broker, filling))
        details: dict[str, Any] = {
            "events": plan.events,
            "bytes_per_event": round(size / plan.events, 1),
            "partitions": kind.partitions,
            "remark": kind.remark,
            "backlog": runs,
        }
        if plan.processes:
            try:
                ones, several = bench.processes()
            except NotEnough as error:
                name = report.discounted_name(plan.processes)
                figures.append(report.Figure(plan.broker, name, None, target=report.SPEED_UP_TARGET, note=str(error)))
            else:
                figures += report.sharing_figures(plan.broker, ones, several)
                details["processes"] = {"1": list(map(asdict, ones)), str(plan.processes): list(map(asdict, several))}
        if plan.peers is not None:
            found, missing = bench.one_topic(plan.peers)
            figures += report.peer_figures(plan.broker, found, missing)
            details["one_topic"] = {"events": bench.one_topic_events, "runs": found, "missing": missing}
    return figures, details


class Bench:
    """Lets everyone work off the records of one broker."""

    def __init__(self, plan: Plan, server: Server, directory: Path, say: Say) -> None:
        self._plan = plan
        self._server = server
        self._directory = directory
        self._say = say
        self.one_topic_events = min(ONE_TOPIC_EVENTS, plan.events * 3 // 4)

    def fill(self) -> int:
        """Puts both backlogs into the broker; returns the bytes of the values of the larger one."""
        self._say(f"{self._plan.broker}: filling it with {self._plan.events:,} events ...")
        size = 0
        for prefix, number in ((_WARM, self._plan.warm_events), (_ALL, self._plan.events)):
            generate(number, self._plan.cache)
            settings = self._task(prefix, number, "").settings()
            size = asyncio.run(fill(settings, BROKERS[self._plan.broker].partitions, events(number, self._plan.cache)))
        return size

    def backlog(self) -> dict[str, list[dict[str, Any]]]:
        """In turn, so that what else happens on the machine falls on all alike."""
        runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for number in range(self._plan.runs):
            for kind, found in runs.items():
                found.append(self._run(kind, _ALL, self._plan.events))
                self._tell(f"{kind} {number + 1}/{self._plan.runs}", found[-1])
        return runs

    def processes(self) -> tuple[list[Share], list[Share]]:
        """One process, and several in one group, in turn. Raises `NotEnough`."""
        ones: list[Share] = []
        several: list[Share] = []
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < self._plan.processes:
            raise NotEnough(f"{self._plan.processes} processes need as many cores, there are {len(cores)}")
        for number in range(self._plan.runs):
            for processes, found in ((1, ones), (self._plan.processes, several)):
                with self.group(processes) as tasks:
                    found.append(share(*run_group(tasks, cores[:processes])))
                rate = found[-1].events_per_second
                self._say(
                    f"{self._plan.broker}: {processes} on a core each {number + 1}/{self._plan.runs}: {rate:,.0f}/s"
                )
        return ones, several

    @contextmanager
    def group(self, processes: int) -> Iterator[list[Task]]:
        """What the members of a new group are to do, for as long as their stores are needed."""
        with self._stores(processes) as stores:
            group = f"bench-{next(self._plan.numbers)}"
            yield [
                self._task(_ALL, self._plan.events, str(store), group, member) for member, store in enumerate(stores)
            ]

    def one_topic(self, environment: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
        """Ingest and the peers at traffic alone; and why peers are missing."""
        portions = only({"traffic"}, events(self._plan.events, self._plan.cache), self.one_topic_events)
        asyncio.run(fill(self._task(_ONE, 0, "").settings(), dict.fromkeys(EVENT_KINDS, 1), portions))
        peers = [(peer, way) for peer in neighbours.PEERS for way in neighbours.WAYS]
        runs: dict[str, list[dict[str, Any]]] = {"ingest": []}
        missing: dict[str, str] = {}
        try:
            neighbours.install(environment)
        except neighbours.Unavailable as error:
            missing = {f"{peer}-{way}": str(error) for peer, way in peers}
        for number in range(self._plan.runs):
            runs["ingest"].append(self._run("ingest", _ONE, self.one_topic_events))
            self._tell(f"one topic: ingest {number + 1}/{self._plan.runs}", runs["ingest"][-1])
            for peer, way in peers:
                name = f"{peer}-{way}"
                if name in missing:
                    continue
                try:
                    found = neighbours.count(
                        environment,
                        peer,
                        way,
                        self._server.bootstrap_servers,
                        f"{_ONE}traffic",
                        self.one_topic_events,
                    )
                except neighbours.Unavailable as error:
                    missing[name] = str(error)
                    runs.pop(name, None)
                    continue
                runs.setdefault(name, []).append(found)
                self._tell(f"one topic: {name} {number + 1}/{self._plan.runs}", found)
        return runs, missing

    def _run(self, kind: str, prefix: str, number: int) -> dict[str, Any]:
        with self._stores(1) as (store,):
            return run(kind, self._task(prefix, number, str(store), f"bench-{next(self._plan.numbers)}"))

    def _task(self, prefix: str, number: int, store: str, group: str = "bench", member: int = 0) -> Task:
        return Task(
            bootstrap_servers=self._server.bootstrap_servers,
            broker_pid=self._server.pid,
            prefix=prefix,
            events=number,
            warm_prefix=_WARM,
            warm_events=self._plan.warm_events,
            directory=store,
            group=group,
            # Each member works off all of the smaller backlog.
            warm_group=f"{group}-warm-{member}",
        )

    @contextmanager
    def _stores(self, number: int) -> Iterator[list[Path]]:
        with tempfile.TemporaryDirectory(prefix="store-", dir=self._directory) as directory:
            stores = [Path(directory) / str(each) for each in range(number)]
            for store in stores:
                store.mkdir()
            yield stores

    def _tell(self, what: str, result: dict[str, Any]) -> None:
        speed, cost = result["events_per_second"], result["cpu_us_per_event"]
        self._say(f"{self._plan.broker}: {what}: {speed:,.0f} events/s, {cost:.2f} CPU us an event")
