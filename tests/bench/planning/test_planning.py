"""What the plan is measured by, small: nothing here looks at a speed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services.planning.opening import Process, simulate
from tests.bench.backlog import events
from tests.bench.planning.burst import Curve, Said, compare, measure_burst
from tests.bench.planning.measure import CODECS, Amounts, batch_bytes, measure_planning


def test_batches_are_as_large_as_what_is_in_them(tmp_path: Path) -> None:
    """Catches: records that are left out between two batches, and a codec that is not applied."""
    portions = list(events(3_000, tmp_path))
    values = sum(len(key) + len(value) for portion in portions for _, key, value in portion) / 3_000
    sizes = batch_bytes(iter(portions))["bytes_per_event"]
    assert sizes.keys() == CODECS.keys()
    # A record has some bytes more than its key and value, a batch 61 more.
    assert values + 5 < sizes["none"] < values + 30
    assert sizes["zstd"] < sizes["lz4"] < sizes["none"] / 2


def test_a_model_is_right_about_itself() -> None:
    """Catches: curves that are compared at different moments. What "was" is what the model makes of it."""
    own, store, cores = 5.0, 10.0, 0.5
    rate = cores / (own + store) * 1e6
    start = 1_700_000_000.0
    arrived: Curve = [(start, 0.0), *((start + 0.1 * at, 5_000.0 * at) for at in range(1, 20))]
    process = Process([0.9, 0.1], own, store, 0.0, cores, event_bytes=350.0)
    rates = [50_000.0 if at < 1.9 else 0.0 for at in (step * 0.05 for step in range(4_000))]
    made = simulate(process, lambda at: rates[int(at / 0.05)], 60)
    end = next(sample for sample in made.samples if sample.written >= 95_000 * (1 - 1e-6))
    written = [(start + sample.at, sample.written) for sample in made.samples if sample.at < end.at]
    backlog = {
        "threads_cpu_us_per_event": {"event loop": own, "Fetch": store},
        "cpu_us_per_event": own + store,
        "events_per_second": rate,
    }
    found = compare(
        arrived, Said(backlog, [*written, (start + end.at, 95_000.0)]), Counter(traffic=90, orders=10), 350.0
    )
    assert found["cores"] == pytest.approx(cores)
    assert found["model_peak"] == pytest.approx(found["peak"], rel=0.1)
    assert found["model_seconds"] == pytest.approx(found["seconds"], rel=0.05)
    assert found["difference"] < 0.05


@pytest.mark.system
def test_everything_that_the_plan_needs_is_measured(tmp_path: Path) -> None:
    """Catches: a benchmark that no longer runs. Each child checks that all events are in its tables."""
    figures, details = measure_planning(Amounts(3_000, 3_000, 1_500, 1_000, 0), tmp_path, lambda _: None)
    assert all(figure.value is not None and figure.value >= 0 for figure in figures if figure.name[:3] != "CPU")
    assert details["small blocks"]["blocks"] > details["full blocks"]["blocks"]
    assert details["sparse"]["minutes"] > details["dense"]["minutes"]


@pytest.mark.system
def test_a_burst_is_all_carried(tmp_path: Path) -> None:
    """Catches: a real run that ends before everything is in the tables, and curves of nothing."""
    figures, found = measure_burst(20_000, tmp_path, lambda _: None)
    assert found["events"] == 20_000
    assert 0 < found["peak"] <= 20_000
    assert len(figures) == 5
