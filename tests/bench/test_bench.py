"""The benchmark itself, small: nothing here looks at a speed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from services.common.settings import EVENT_KINDS
from services.simulator.source import backlog
from tests.bench import neighbours
from tests.bench.backlog import events, only
from tests.bench.group import run_group
from tests.bench.measure import Bench, Plan, measure
from tests.bench.places import PLACES
from tests.support.kafka import ApacheKafka

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 2_000


def plan(cache: Path, *, broker: str = "embedded", number: int = EVENTS) -> Plan:
    return Plan(broker=broker, events=number, runs=1, cache=cache, warm_events=200)


def test_every_kind_of_child_works_off_the_backlog(tmp_path: Path) -> None:
    """Catches: a benchmark that no longer runs. Each child checks that all events are in its tables."""
    figures, details = measure(plan(tmp_path), lambda _: None)
    assert {kind: len(runs) for kind, runs in details["backlog"].items()} == {"drain": 1, "naive": 1, "ingest": 1}
    assert all(figure.value is not None and figure.value >= 0 for figure in figures)
    assert msgspec.json.decode(msgspec.json.encode(details)) == details


@pytest.mark.system
def test_two_processes_share_the_backlog(tmp_path: Path, kafka: ApacheKafka) -> None:
    """Catches: members that do not join the same group, or an end that nobody notices."""
    number = 10_000
    bench = Bench(plan(tmp_path, broker="kafka", number=number), kafka, tmp_path, lambda _: None)
    bench.fill()
    cores = sorted(os.sched_getaffinity(0))
    with bench.group(2) as tasks:
        said, usage = run_group(tasks, [cores[0], cores[-1]])
    assert sum(samples[-1].handled for samples in said) >= number
    assert all(any(sample.assigned for sample in samples) for samples in said)
    assert usage[-1].broker > 0


def test_the_file_holds_what_the_simulator_makes(tmp_path: Path) -> None:
    """Catches: a cache that is cut short, out of order, or of other arguments."""
    for number in (1, 25_000):
        for _ in range(2):
            portions = list(events(number, tmp_path))
            assert sum(map(len, portions)) == number
            made = backlog(number, number, "bench", 1_700_000_000_000, max(1, number // 5_000))
            assert [record for portion in portions for record in portion] == list(made)


def test_every_place_that_the_event_loop_is_seen_in_exists() -> None:
    """Catches: a file that was renamed, and whose time then goes to the rest."""
    names = [str(path) for path in (ROOT / "services").rglob("*")]
    pieces = [piece for pieces in PLACES.values() for piece in pieces if piece.startswith(("ingest/", "common/"))]
    assert [piece for piece in pieces if not any(f"/{piece.rstrip('/')}" in name for name in names)] == []


def test_one_kind_in_its_order(tmp_path: Path) -> None:
    """Catches: peers that are given fewer events than they are told to wait for."""
    chosen = [record for portion in only({"traffic"}, events(3_000, tmp_path), 2_000) for record in portion]
    assert len(chosen) == 2_000
    assert {kind for kind, _, _ in chosen} == {"traffic"}
    with pytest.raises(ValueError, match="too few"):
        list(only(set(EVENT_KINDS), events(10, tmp_path), 11))


def test_a_peer_that_cannot_run_says_why(tmp_path: Path) -> None:
    """Catches: a missing environment that ends the benchmark."""
    with pytest.raises(neighbours.Unavailable):
        neighbours.count(tmp_path, "bytewax", "window", "127.0.0.1:1", "none", 1)
