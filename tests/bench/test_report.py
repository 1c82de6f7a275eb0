"""The table of `make bench`: what it claims follows from the runs."""

from __future__ import annotations

from typing import Any

from tests.bench.report import Figure, backlog_figures, peer_figures, table


def run(speed: float, cost: float, memory: float = 100.0) -> dict[str, Any]:
    return {
        "events_per_second": speed,
        "cpu_us_per_event": cost,
        "broker_cpu_us_per_event": 1.0,
        "memory_above_idle_mb": memory,
        "memory_idle_mb": 300.0,
        "threads_cpu_us_per_event": {"event loop": 2.0, "python": 0.5, "MergeMutate": 3.0, "Fetch": cost, "Other": 1.0},
    }


def found(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_medians_decide_whether_a_target_is_met() -> None:
    """Catches: a best run for a median, and a most taken for a least."""
    runs = {
        "drain": [run(1000, 2), run(2000, 2), run(1000, 2)],
        "naive": [run(500, 8)] * 3,
        "ingest": [run(100, 9), run(900, 4.5, 700), run(850, 4.9, 601)],
    }
    figures = found(backlog_figures("kafka", runs))
    assert (figures["ingest / drain"].value, figures["ingest / drain"].met) == (0.85, True)
    assert (figures["CPU of ingest"].value, figures["CPU of ingest"].met) == (4.9, True)
    memory = figures["ingest's peak memory above idle"]
    assert (memory.value, memory.met) == (601, False)


def test_the_cpu_of_ingest_falls_into_its_own_and_that_of_clickhouse() -> None:
    """Catches: a thread that is counted nowhere, or ClickHouse's work counted as ingest's own."""
    figures = found(backlog_figures("kafka", {"drain": [run(9, 2)], "naive": [run(9, 8)], "ingest": [run(9, 4)]}))
    assert figures["CPU of ingest: its own threads"].value == 2.5
    assert figures["CPU of ingest: ClickHouse's inserts and rollups"].value == 5.0
    assert figures["CPU of ingest: ClickHouse's merges"].value == 3.0


def test_a_peer_is_compared_by_cost_and_by_speed() -> None:
    """Catches: a ratio upside down."""
    runs = {"ingest": [run(800, 5)], "bytewax-window": [run(100, 20)]}
    figures = found(peer_figures("kafka", runs, {}))
    assert figures["ingest's speed / Bytewax, window"].value == 8
    assert figures["CPU of Bytewax, window / ingest's"].value == 4
    assert figures["CPU of Bytewax, window / ingest's"].met is False


def test_a_peer_that_cannot_be_had_is_named_with_the_reason() -> None:
    """Catches: a comparison that is left out without a word, or counts as met."""
    figures = peer_figures("kafka", {"ingest": [run(800, 5)]}, {"quix-window": "no network"})
    missing = found(figures)["one topic: Quix Streams, window"]
    assert (missing.value, missing.met) == (None, None)
    (line,) = [line for line in table(figures) if "Quix Streams, window" in line]
    assert line.endswith("no network")
    assert "not to be had" in line
