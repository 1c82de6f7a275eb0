"""The course of it: many rules on one core, and then pages out of a system under load."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.alerts.receiver import receiving
from tests.bench.alerts.load import Load, Planted
from tests.bench.alerts.look import Look, Looked
from tests.bench.report import Figure
from tests.bench.viewers.measure import percentile
from tests.support.war_room import war_room_in

RULES, GROUPS = 1_000, 50
LOOK_TARGET_SECONDS = 1.0
PAGE_TARGET_SECONDS = 3.0
EVENTS_PER_SECOND = 20_000
_WARM_SECONDS = 20.0
_AFTER_SECONDS = 20.0
_LONGEST_SECONDS = 900.0

Say = Callable[[str], None]


def measure_alerts(
    say: Say, *, rules: int = RULES, seconds: int = 60, events_per_second: int = EVENTS_PER_SECOND
) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and what they were made from."""
    looked = looks(rules, GROUPS, seconds)
    late = percentile(looked.seconds, 0.99)
    say(f"{looked.rules:,} rules x {GROUPS} groups: a look takes {late:.2f} s at the 99th percentile")
    planted, received = page_delays(events_per_second, seconds + _WARM_SECONDS)
    delays = [received[item] - at if item in received else float("inf") for item, at in planted.items.items()]
    rate = planted.events / planted.seconds
    say(f"{len(received)} of {len(delays)} pages at {rate:,.0f} events/s: p99 {percentile(delays, 0.99):.2f} s")
    found = [
        *look_figures(rules, looked.seconds),
        *_spread(
            "embedded", f"event to page at {events_per_second:,} events/s", delays, PAGE_TARGET_SECONDS,
            f"{len(received)} of {len(delays)} pages; {rate:,.0f} events/s were sent",
        ),
    ]  # fmt: skip
    return found, {"looks": msgspec.to_builtins(looked), "page_delays": delays, "events_per_second": rate}


def look_figures(rules: int, seconds: list[float]) -> list[Figure]:
    """How long a look takes."""
    return _spread("one core", f"{rules:,} rules x {GROUPS} groups, a look", seconds, LOOK_TARGET_SECONDS, "")


def looks(rules: int, groups: int, seconds: int) -> Looked:
    """So many rules in a process of their own, bound to one core."""
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory:
        told = Look(directory, min(os.sched_getaffinity(0)), rules, groups, seconds)
        looked: Looked = _child("tests.bench.alerts.look", told, Looked)
        return looked


def page_delays(events_per_second: int, seconds: float) -> tuple[Planted, dict[str, float]]:
    """What was planted into a standalone under load, and when the receiver had the page of each item."""
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory, receiving() as receiver:
        env = {"WARROOM_ALERT_WEBHOOK_URL": receiver.url}
        with war_room_in(Path(directory) / "room", env=env) as room:
            room.start()
            told = Load(room.kafka, events_per_second, seconds, min(_WARM_SECONDS, seconds / 2), 1.0)
            planted = _child("tests.bench.alerts.load", told, Planted)
            deadline = time.monotonic() + _AFTER_SECONDS
            while len(_received(receiver.arrived)) < len(planted.items) and time.monotonic() < deadline:
                time.sleep(0.1)
            received = _received(receiver.arrived)
            room.stop()
    return planted, {item: at for item, at in received.items() if item in planted.items}


def _received(arrived: list[tuple[float, dict[str, Any]]]) -> dict[str, float]:
    """When each item's `stock_out` came first."""
    found: dict[str, float] = {}
    for at, body in arrived:
        for alert in body["alerts"]:
            labels = alert["labels"]
            if labels["alertname"] == "stock_out" and alert["status"] == "firing":
                found.setdefault(labels["item_id"], at)
    return found


def _child(module: str, told: msgspec.Struct, answers: type[Any]) -> Any:
    finished = subprocess.run(
        [sys.executable, "-m", module, msgspec.json.encode(told).decode()],
        stdout=subprocess.PIPE,
        timeout=_LONGEST_SECONDS,
        check=True,
    )
    return msgspec.json.decode(finished.stdout, type=answers)


def _spread(column: str, name: str, seconds: list[float], target: float, note: str) -> list[Figure]:
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return [
        Figure(column, f"{name}: p50", round(p50, 3), "s"),
        Figure(column, f"{name}: p99", round(p99, 3), "s", target, at_most=True, note=note),
    ]
