"""The benchmark of viewers, small: nothing here looks at a speed."""

from __future__ import annotations

import os

import pytest

from tests.bench.viewers.measure import ALONE, WAYS, figures, measure_viewers, percentile


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_every_way_serves_its_viewers() -> None:
    """Catches: a benchmark that no longer runs, a reader that takes a piece for a snapshot."""
    found, details = measure_viewers(20, 1, lambda _: None, settle=0.5, seconds=2.5)
    assert details.keys() == {*WAYS, ALONE}
    for runs in details.values():
        (run,) = runs
        assert run["lost"] == 0
        assert run["updates"] > 0
        assert 0 < run["p50"] <= run["p99"] < 60
    plain, packed = details["stream"][0], details["stream, gzip"][0]
    assert packed["bytes_per_snapshot"] * 3 < plain["bytes_per_snapshot"]
    assert plain["bytes_per_snapshot"] > 50_000
    assert all(figure.value is not None for figure in found)


def test_a_percentile_that_nobody_reached_is_not_met() -> None:
    """Catches: a server that sends nothing and is never late."""
    assert percentile([], 0.99) == float("inf")
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.01, 0.5, 0.99)] == [1.0, 2.0, 3.0]
    run = {"p50": 0.1, "p99": float("inf"), "updates": 0.0, "bytes_per_snapshot": 1.0, "server_cpu": 0.1, "lost": 0}
    assert [figure.met for figure in figures(5, {"stream": [run]})] == [False, None, False, None]
