"""Every cost is a figure of `make bench`, by the name that it has there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.common.errors import ConfigurationError
from services.planning.costs import SOURCES, Costs, as_file, of_bench, shipped
from tests.bench.alerts import measure as alerts
from tests.bench.planning.measure import CODECS, figures, rollup_bytes
from tests.bench.report import Figure, backlog_figures, broker_figure
from tests.bench.viewers.measure import ALONE, WAYS
from tests.bench.viewers.measure import figures as viewer_figures

RUN = {
    "events_per_second": 1000.0,
    "cpu_us_per_event": 9.0,
    "broker_cpu_us_per_event": 1.0,
    "memory_above_idle_mb": 700.0,
    "memory_idle_mb": 300.0,
    "threads_cpu_us_per_event": {"event loop": 3.0, "MergeMutate": 2.0, "Fetch": 4.0},
}
CARRIED = {
    **RUN,
    "events": 1000,
    "value_bytes": 350_000,
    "rows": {"traffic": 800, "orders": 50, "coupons": 50, "inventory": 50, "spend": 50},
    "orders": 20,
    "minutes": 1,
    "blocks": 5,
    "event_bytes": 28_000,
    "event_bytes_uncompressed": 100_000,
    "rollup_bytes": 40_000,
    "fold_cpu_us_per_event": 3.0,
}
SEEN = {
    "p50": 0.1,
    "p99": 0.2,
    "updates": 1.0,
    "bytes_per_snapshot": 5000.0,
    "snapshots_per_second": 1.0,
    "server_cpu": 0.2,
    "server_mb": 500.0,
    "lost": 0,
    "viewers": 1,
}
MANY = {**SEEN, "snapshots_per_second": 5000.0, "server_cpu": 0.9, "server_mb": 900.0, "viewers": 5000}


def every_figure() -> Iterator[Figure]:
    """What a bench writes, made by its own functions from runs that never were."""
    yield from backlog_figures("kafka", {kind: [RUN] for kind in ("drain", "naive", "ingest")})
    yield broker_figure("kafka", 2.0)
    carried = dict.fromkeys(("dense", "full blocks", "small blocks", "one partition"), CARRIED)
    more = {"small blocks": {**CARRIED, "blocks": 50, "cpu_us_per_event": 30.0}, "sparse": {**CARRIED, "minutes": 20}}
    dense = {**CARRIED, "events": 10_000}
    batches = {"bytes_per_event": dict.fromkeys(CODECS, 100.0)}
    yield from figures({**carried, **more, "dense": dense, "batches": batches})
    yield from viewer_figures(5000, {**{way: [MANY] for way in WAYS}, ALONE: [SEEN]})
    yield from alerts.look_figures(alerts.RULES, [0.1, 0.2])


def bench_file(place: Path, **changes: Any) -> Path:
    told = [msgspec.to_builtins(figure) for figure in every_figure()]
    machine = {"processor": "p", "cores": 2, "python": "3", "load_average": [1.0, 1.0, 1.0]}
    place.write_bytes(msgspec.json.encode({"machine": machine, "figures": told, **changes}))
    return place


def test_every_cost_is_a_figure_that_the_bench_writes() -> None:
    """Catches: a figure that was renamed, and a cost of which nobody knows where it came from."""
    written = {(figure.broker, figure.name): figure.unit for figure in every_figure()}
    assert SOURCES.keys() == {field.name for field in fields(Costs)}
    for name, source in SOURCES.items():
        assert written.get((source.column, source.figure)) == source.unit, name


def test_the_costs_that_ship_say_where_each_comes_from() -> None:
    """Catches: a file that was edited past the table of sources."""
    held = msgspec.json.decode(resources.files("services.planning").joinpath("costs.json").read_bytes())
    assert [cost["name"] for cost in held["costs"]] == list(SOURCES)
    for cost in held["costs"]:
        source = SOURCES[cost["name"]]
        assert (cost["column"], cost["figure"], cost["unit"]) == (source.column, source.figure, source.unit)
        assert cost["run"] in held["runs"]
    assert sum(shipped().costs.shares.values()) == pytest.approx(1, abs=0.01)


def test_a_bench_of_ones_own_is_taken_and_written_again(tmp_path: Path) -> None:
    """Catches: a value that lands in another field."""
    measured = of_bench(bench_file(tmp_path / "bench.json"))
    assert measured.costs.own_us == 3.0
    assert measured.costs.merge_us == 2.0
    assert measured.costs.insert_us == 4.0
    assert measured.costs.table_bytes == pytest.approx(2.8)
    assert measured.costs.snapshot_us == pytest.approx(0.7 / 4999 * 1e6, abs=0.1)
    again = msgspec.json.decode(as_file(measured))
    assert {cost["name"]: cost["value"] for cost in again["costs"]} == asdict(measured.costs)


def test_a_bench_that_lacks_something_says_what_and_how_to_take_it(tmp_path: Path) -> None:
    """Catches: costs of two machines in one plan, and a cost of nothing."""
    path = bench_file(tmp_path / "bench.json")
    held = msgspec.json.decode(path.read_bytes())
    for change, said in (
        (
            [each for each in held["figures"] if each["name"] != "CPU of folding"],
            "lacks 'CPU of folding'.*--only planning",
        ),
        (
            [{**each, "value": -1.0} if each["name"] == "CPU of folding" else each for each in held["figures"]],
            "is -1.0",
        ),
    ):
        bench_file(path, figures=change)
        with pytest.raises(ConfigurationError, match=said):
            of_bench(path)
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="no file of `make bench`"):
        of_bench(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        of_bench(tmp_path / "nowhere")


def test_rollups_are_told_apart_by_minutes_and_by_events() -> None:
    """Catches: the two equations with their unknowns exchanged."""
    dense = {"events": 300_000, "minutes": 1, "rollup_bytes": 300_000 * 7 + 1 * 4_000}
    sparse = {"events": 300_000, "minutes": 20, "rollup_bytes": 300_000 * 7 + 20 * 4_000}
    assert rollup_bytes(dense, sparse) == pytest.approx((4_000, 7))
    assert rollup_bytes(dense, dense) == (0.0, dense["rollup_bytes"] / 300_000)
