"""The course of it: a server on one core, its viewers on another, in turn with a naive server."""

from __future__ import annotations

import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from tests.bench.report import Figure
from tests.bench.sharing import NotEnough
from tests.bench.viewers.festival import CAMPAIGN
from tests.bench.viewers.watch import Seen, Watch
from tests.support.broker import free_port
from tests.support.war_room import wait_until

TARGET_SECONDS = 1.0
TARGET_VIEWERS = 5_000
SETTLE_SECONDS = 5.0
SECONDS = 15.0
_COLUMN = "one core"
_READY_SECONDS = 120.0
_WATCH_SECONDS = 300.0

Say = Callable[[str], None]

WAYS = {
    "stream": ("warroom", False),
    "stream, gzip": ("warroom", True),
    "naive": ("naive", False),
}
"""What is compared: which server, and whether its viewers ask for gzip."""

ALONE = "one viewer"
"""What a campaign costs that hardly anybody watches."""


def measure_viewers(
    viewers: int, runs: int, say: Say, *, settle: float = SETTLE_SECONDS, seconds: float = SECONDS, least: int = 0
) -> tuple[list[Figure], dict[str, list[dict[str, Any]]]]:
    """The figures and what they were made from. Each run is of so many seconds, and of more where a viewer has not had
    the `least` number of snapshots by then. Raises `NotEnough` where there is one core only."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise NotEnough("viewers need a core of their own")
    found: dict[str, list[Seen]] = {name: [] for name in WAYS}
    alone: list[Seen] = []
    for number in range(runs):
        alone.append(_seen(cores, "warroom", 1, settle, seconds, least, gzip=True))
        for name, (kind, gzip) in WAYS.items():
            found[name].append(_seen(cores, kind, viewers, settle, seconds, least, gzip=gzip))
            late = percentile(found[name][-1].lateness, 0.99)
            say(f"{viewers:,} viewers, {name} {number + 1}/{runs}: p99 {late:.2f} s late")
    details = {name: [_detail(seen) for seen in each] for name, each in found.items()}
    details[ALONE] = [_detail(seen) for seen in alone]
    for name, count in ((ALONE, 1), *((way, viewers) for way in WAYS)):
        for each in details[name]:
            each["viewers"] = count
    return figures(viewers, details), details


def _seen(
    cores: Sequence[int], kind: str, viewers: int, settle: float, seconds: float, least: int, *, gzip: bool
) -> Seen:
    with _server(kind, cores[0]) as (pid, port):
        path = f"/api/v1/campaigns/{CAMPAIGN}/stream"
        return _watch(Watch(pid, port, path, viewers, settle, seconds, least, gzip, cores[-1]))


def figures(viewers: int, details: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    """Medians of the runs."""
    result = []
    for name, runs in details.items():
        if name == ALONE:
            continue

        def of(field: str, runs: Sequence[dict[str, Any]] = runs) -> float:
            return statistics.median(float(run[field]) for run in runs)

        said = f"{viewers:,} viewers, {name}"
        note = f"{of('bytes_per_snapshot') / 1000:.0f} kB a snapshot, {of('updates'):.2f} a second for the least served"
        target = None if name == "naive" else TARGET_SECONDS
        held = viewers if of("p99") <= TARGET_SECONDS and not of("lost") else 0
        result += [
            Figure(_COLUMN, f"viewers held, {name}", held, "", None if target is None else TARGET_VIEWERS),
            Figure(_COLUMN, f"{said}: late, p50", round(of("p50"), 3), "s"),
            Figure(_COLUMN, f"{said}: late, p99", round(of("p99"), 3), "s", target, at_most=True, note=note),
            Figure(_COLUMN, f"{said}: CPU", round(of("server_cpu"), 2), "cores"),
        ]
    if ALONE in details:
        result += _costs(viewers, details["stream, gzip"], details[ALONE])
    return result


def _costs(viewers: int, many: Sequence[dict[str, Any]], one: Sequence[dict[str, Any]]) -> list[Figure]:
    """What a snapshot more that is sent costs, which is that of a viewer for a second, and what is there for the first
    one. By what was sent, not by the clock: on a busy machine fewer are sent, and that must not look cheap."""

    def more(field: str, by: str) -> float:
        """How much a field grows with each of the other field."""
        pairs = [
            (float(a[field]) - float(b[field]), float(a[by]) - float(b[by])) for a, b in zip(many, one, strict=True)
        ]
        return statistics.median(growth / max(1e-9, step) for growth, step in pairs)

    def first(field: str) -> float:
        return statistics.median(float(run[field]) for run in one)

    sent = statistics.median(float(run["bytes_per_snapshot"]) for run in many)
    return [
        Figure(_COLUMN, "viewers, measured", viewers),
        Figure(_COLUMN, "a snapshot sent, gzip: CPU", round(more("server_cpu", "snapshots_per_second") * 1e6, 1), "us"),
        Figure(_COLUMN, "a viewer more, gzip: memory", round(more("server_mb", "viewers") * 1e3, 1), "kB"),
        Figure(_COLUMN, "a snapshot, gzip: size", round(sent), "B"),
        Figure(_COLUMN, "a campaign with one viewer: CPU", round(first("server_cpu"), 3), "cores"),
        Figure(_COLUMN, "a campaign with one viewer: memory", round(first("server_mb")), "MB"),
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed; infinite of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.inf


def _detail(seen: Seen) -> dict[str, Any]:
    return {
        "p50": percentile(seen.lateness, 0.5),
        "p99": percentile(seen.lateness, 0.99),
        "worst": percentile(seen.lateness, 1),
        "updates": min(seen.counts) / seen.seconds,
        "snapshots_per_second": len(seen.lateness) / seen.seconds,
        "lost": seen.lost,
        "bytes_per_snapshot": seen.bytes_per_snapshot,
        "server_cpu": seen.server_cpu,
        "server_mb": seen.server_mb,
    }


@contextmanager
def _server(kind: str, core: int) -> Iterator[tuple[int, int]]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory:
        command = [sys.executable, "-m", "tests.bench.viewers.serve", f"{directory}/store", str(port), str(core), kind]
        child = subprocess.Popen(command)
        try:

            def ready() -> bool:
                assert child.poll() is None, "the server ended"
                try:
                    return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).is_success
                except httpx.TransportError:
                    return False

            wait_until(ready, _READY_SECONDS, "the server")
            yield child.pid, port
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)


def _watch(told: Watch) -> Seen:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.bench.viewers.watch", msgspec.json.encode(told).decode()],
        stdout=subprocess.PIPE,
        timeout=_WATCH_SECONDS,
        check=True,
    )
    return msgspec.json.decode(finished.stdout, type=Seen)
