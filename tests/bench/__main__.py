"""`make bench`: figures of ingest against a bare consumer, in one run, printed and written to `bench.json`."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from services.common.kafka import ensure_topics
from services.common.settings import EVENT_KINDS, Settings
from services.simulator.source import backlog
from tests.bench.backlog import BACKLOG_SECONDS, PARTITIONS, WARM_UP, WARM_UP_EVENTS, fill
from tests.support.broker import running_broker

FLOOR_RATIO = 0.6
FLOOR_CPU = 6.2
"""What the naive loop did on the machine on which it was first measured; what it does here stands beside it."""

_CHILD_SECONDS = 300
_START_MS = 1_700_000_000_000


@click.command()
@click.option("--events", default=300_000, show_default=True, help="Events in the backlog.")
@click.option("--runs", default=3, show_default=True, help="Runs of each kind; medians are reported.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("bench.json"), show_default=True)
def bench(events: int, runs: int, output: Path) -> None:
    """Drains a backlog with bare aiokafka and through ingest into chDB, each time in a fresh process."""
    with (
        tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory,
        running_broker(Path(directory) / "broker") as broker,
    ):
        settings = Settings(kafka_bootstrap_servers=broker.bootstrap_servers, topic_partitions=PARTITIONS)
        click.echo(f"filling Kafka with {events:,} events ...", err=True)
        size = asyncio.run(_fill(settings, events))
        results: dict[str, list[dict[str, float]]] = {"drain": [], "naive": [], "ingest": []}
        # In turn, so that what else happens on the machine falls on both alike.
        for run in range(runs):
            for kind, found in results.items():
                store = Path(directory) / f"{kind}-{run}"
                result = _child(kind, broker.bootstrap_servers, events, store)
                found.append(result)
                click.echo(f"{kind} {run + 1}/{runs}: {_line(result)}", err=True)
    report = _report(results, events, size)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _print(report["ingest"])


async def _fill(settings: Settings, events: int) -> int:
    warm = settings.model_copy(update=WARM_UP)
    for each, count, seconds in ((warm, WARM_UP_EVENTS, 4), (settings, events, BACKLOG_SECONDS)):
        await ensure_topics(each)
        size = await fill(each, backlog(count, count, "bench", _START_MS, seconds))
    return size


def _child(kind: str, bootstrap_servers: str, events: int, store: Path) -> dict[str, float]:
    finished = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{kind}", bootstrap_servers, str(events), str(store)],
        stdout=subprocess.PIPE,
        timeout=_CHILD_SECONDS,
        check=True,
    )
    result: dict[str, float] = json.loads(finished.stdout)
    return result


def _line(result: dict[str, float]) -> str:
    return f"{result['events_per_second']:,.0f} events/s, {result['cpu_us_per_event']:.2f} CPU us an event"


def _report(results: dict[str, list[dict[str, float]]], events: int, size: int) -> dict[str, Any]:
    def median(kind: str, field: str) -> float:
        return statistics.median(result[field] for result in results[kind])

    drain, ingest = median("drain", "events_per_second"), median("ingest", "events_per_second")
    naive, cpu = median("naive", "events_per_second"), median("ingest", "cpu_us_per_event")
    return {
        "ingest": {
            "events": events,
            "bytes_per_event": round(size / events, 1),
            "topics": len(EVENT_KINDS),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "drain_events_per_second": round(drain),
            "drain_cpu_us_per_event": round(median("drain", "cpu_us_per_event"), 2),
            "naive_events_per_second": round(naive),
            "naive_cpu_us_per_event": round(median("naive", "cpu_us_per_event"), 2),
            "ingest_events_per_second": round(ingest),
            "ingest_cpu_us_per_event": round(cpu, 2),
            "ingest_peak_rss_mb": round(median("ingest", "peak_rss_mb")),
            "ratio": round(ingest / drain, 3),
            "naive_ratio": round(naive / drain, 3),
            "floor": {"ratio": FLOOR_RATIO, "cpu_us_per_event": FLOOR_CPU},
            "meets_floor": ingest / drain >= FLOOR_RATIO and cpu <= FLOOR_CPU,
            "runs": results,
        }
    }


def _print(report: dict[str, Any]) -> None:
    rows = [
        ("bare aiokafka drain", f"{report['drain_events_per_second']:,} events/s", ""),
        ("naive loop, one rollup", f"{report['naive_events_per_second']:,} events/s", ""),
        ("ingest, all rollups", f"{report['ingest_events_per_second']:,} events/s", ""),
        ("naive loop / drain", f"{report['naive_ratio']:.2f}", ""),
        ("ingest / drain", f"{report['ratio']:.2f}", f"floor {FLOOR_RATIO}"),
        ("CPU of bare drain", f"{report['drain_cpu_us_per_event']:.2f} us an event", ""),
        ("CPU of naive loop", f"{report['naive_cpu_us_per_event']:.2f} us an event", ""),
        ("CPU of ingest, chDB included", f"{report['ingest_cpu_us_per_event']:.2f} us an event", f"floor {FLOOR_CPU}"),
        ("peak memory of ingest", f"{report['ingest_peak_rss_mb']} MB", ""),
    ]
    click.echo(f"Ingest, {report['events']:,} events of {report['bytes_per_event']} B, {report['cores']} cores")
    for name, figure, note in rows:
        click.echo(f"  {name:<32}{figure:>24}  {note}")


if __name__ == "__main__":
    bench()
