"""`make bench`: figures of ingest, stream, questions and detectors, within one run. `docs/benchmarks.md` says how."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec

from tests.bench import report
from tests.bench.alerts.measure import measure_alerts
from tests.bench.detectors.measure import measure_detectors
from tests.bench.measure import BROKERS, Missing, Plan, measure
from tests.bench.page.measure import measure_page
from tests.bench.planning.measure import Amounts, measure_planning
from tests.bench.queries.measure import measure_queries
from tests.bench.rehearsal.measure import Festivals, measure_rehearsal
from tests.bench.sharing import NotEnough
from tests.bench.task import hush
from tests.bench.viewers.measure import measure_viewers

_ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("ingest", "planning", "viewers", "queries", "detectors", "alerts", "rehearsal", "page")
_PACKAGES = ("aiokafka", "chdb-core", "clickhouse-connect", "msgspec", "numba", "pyarrow", "uvloop")


@click.command()
@click.option(
    "--only",
    type=click.Choice(_PARTS),
    multiple=True,
    help="Leave out the other parts.  [default: all]",
)
@click.option("--viewers", default=5_000, show_default=True, help="Viewers of the stream.")
@click.option("--query-events", default=100_000_000, show_default=True, help="Events that questions are asked of.")
@click.option(
    "--query-store",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Keeps the events there for the next time.  [default: they are made and thrown away]",
)
@click.option(
    "--nab-corpus",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="Scores the detector of one series on the corpus there.  [default: no score]",
)
@click.option("--rehearsal-seeds", default=2, show_default=True, help="Festivals that are rehearsed at a time.")
@click.option("--rehearsal-hours", default=3.0, show_default=True, help="Length of each.")
@click.option("--rehearsal-rate", default=15.0, show_default=True, help="Events a second of each.")
@click.option("--rehearsal-step", default="5s", show_default=True, help="Event time between two looks.")
@click.option("--rehearsal-history", default="0s", show_default=True, help="The beginning, sent at once.")
@click.option(
    "--rehearsal-cards",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="Scorecards to take instead: full.json, calm.json, flash.json, by `warroom rehearse --out`.",
)
@click.option("--page-snapshots", default=3_600, show_default=True, help="What the page is shown, of a second each.")
@click.option("--broker", type=click.Choice([*BROKERS, "both"]), default="both", show_default=True)
@click.option(
    "--events",
    type=int,
    default=None,
    help="Events in the backlog.  [default: 2,000,000 on Apache Kafka, 300,000 on the embedded broker]",
)
@click.option("--runs", default=3, show_default=True, help="Runs of each kind; medians are reported.")
@click.option("--skip-peers", is_flag=True, help="Leave out Bytewax and Quix Streams.")
@click.option("--skip-processes", is_flag=True, help="Leave out the processes that share a group.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("bench.json"), show_default=True)
def bench(
    only: tuple[str, ...],
    viewers: int,
    query_events: int,
    query_store: Path | None,
    nab_corpus: Path | None,
    rehearsal_seeds: int,
    rehearsal_hours: float,
    rehearsal_rate: float,
    rehearsal_step: str,
    rehearsal_history: str,
    rehearsal_cards: Path | None,
    page_snapshots: int,
    broker: str,
    events: int | None,
    runs: int,
    skip_peers: bool,
    skip_processes: bool,
    output: Path,
) -> None:
    """Works off the same backlog with a bare consumer, a naive loop and ingest, each time in a fresh process; holds
    viewers of the stream on one core, beside a naive one; asks questions of few events and of many; feeds detectors
    point by point; times pages under load; rehearses festivals; and opens the screen in a browser."""
    hush()
    parts = only or _PARTS
    chosen = (list(BROKERS) if broker == "both" else [broker]) if "ingest" in parts else []
    cache = _ROOT / ".warroom" / "bench"
    figures: list[report.Figure] = []

    def say(line: str) -> None:
        click.echo(line, err=True)

    details: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name in chosen:
        plan = Plan(
            broker=name,
            events=events or BROKERS[name].events,
            runs=runs,
            cache=cache,
            peers=None if skip_peers or not BROKERS[name].peers else _ROOT / ".venv-bench",
            processes=0 if skip_processes or not BROKERS[name].peers else 2,
        )
        try:
            found, details[name] = measure(plan, say)
            figures += found
        except Missing as error:
            missing[name] = str(error)
    others: dict[str, Any] = {}
    if "viewers" in parts:
        try:
            found, others["viewers"] = measure_viewers(viewers, runs, say)
            figures += found
        except NotEnough as error:
            missing["viewers"] = str(error)
    plain: dict[str, Callable[[], tuple[list[report.Figure], dict[str, Any]]]] = {
        "planning": lambda: measure_planning(Amounts(), cache, say),
        "queries": lambda: measure_queries(query_events, query_store, say),
        "detectors": lambda: measure_detectors(runs, nab_corpus, say),
        "alerts": lambda: measure_alerts(say),
    }
    for part, take in plain.items():
        if part in parts:
            found, others[part] = take()
            figures += found
    if "rehearsal" in parts:
        festivals = Festivals(rehearsal_seeds, rehearsal_hours, rehearsal_rate, rehearsal_step, rehearsal_history)
        found, others["rehearsal"] = measure_rehearsal(festivals, rehearsal_cards, say)
        figures += found
    if "page" in parts:
        try:
            found, others["page"] = measure_page(page_snapshots, say)
            figures += found
        except NotEnough as error:
            missing["page"] = str(error)
    told = [{**msgspec.to_builtins(figure), "met": figure.met} for figure in figures]
    machine = _machine()
    whole = {"machine": machine, "figures": told, "details": details, **others, "missing": missing}
    output.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    _print(figures, details, machine)
    for name, reason in missing.items():
        click.echo(f"\nNo figures on {name}: {reason}")
    if not figures:
        raise SystemExit(1)


def _print(figures: Sequence[report.Figure], details: dict[str, Any], machine: dict[str, Any]) -> None:
    click.echo(f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}")
    for name, detail in details.items():
        click.echo(f"{name}: {detail['events']:,} events of {detail['bytes_per_event']} B, {BROKERS[name].remark}")
    click.echo()
    for line in report.table(figures):
        click.echo(line)
    for name, detail in details.items():
        click.echo(f"\nWhere ingest's time goes, {name}:")
        for line in report.time_lines(detail["backlog"]["ingest"]):
            click.echo(f"  {line}")


def _machine() -> dict[str, Any]:
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False) if _has_java() else None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": java.stderr.splitlines()[0] if java else None,
        "packages": {name: version(name) for name in _PACKAGES},
        "load_average": os.getloadavg(),
    }


def _has_java() -> bool:
    return any(os.access(Path(place) / "java", os.X_OK) for place in os.get_exec_path())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")


if __name__ == "__main__":
    bench()
