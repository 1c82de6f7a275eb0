"""`warroom rehearse`."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from services.common.clock import to_ms
from services.common.errors import ConfigurationError

if TYPE_CHECKING:
    from services.rehearsal.driver import Outcome, Pacing
    from services.rehearsal.programme import Plan
    from services.rehearsal.stage import Place

_ROOM_BYTES = 4 << 30
_START = "2026-11-10T20:00:00+08:00"


@click.command()
@click.option("--seed", default=1, show_default=True, help="The first festival; the same seed is the same festival.")
@click.option("--seeds", default=1, show_default=True, help="So many festivals at the same time, each a campaign.")
@click.option("--hours", default=24.0, show_default=True, help="Length of a festival.")
@click.option("--variant", type=click.Choice(["full", "calm", "flash"]), default="full", show_default=True)
@click.option("--rate", default=15.0, show_default=True, help="Events a second of each festival, in the mean.")
@click.option("--start", default=_START, show_default=True, help="The virtual clock's first moment; best an evening.")
@click.option("--incident", "incidents", multiple=True, help="TYPE@OFFSET[:SECONDS][:key=value], instead of the plan.")
@click.option("--slow", default="", help="A phase to which far fewer people come than is planned, e.g. burst.")
@click.option("--lag", default=120, show_default=True, help="Seconds for which ingest is stopped once; 0 for never.")
@click.option(
    "--lag-at", type=int, default=None, help="When, in seconds.  [default: after an hour of planned incidents]"
)
@click.option("--speed", default="max", show_default=True, help="At most so many times real speed, or `max`.")
@click.option("--step", default="5s", show_default=True, help="Event time between two looks at the rules.")
@click.option("--history", default="0s", show_default=True, help="The beginning, sent at once; 3600s is an hour.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Writes the scorecard there."
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), default=None, help="Must be empty.")
@click.option("--kafka", default=None, help="host:port of a Kafka that runs.  [default: the embedded broker]")
@click.option("--keep", is_flag=True, help="Leaves the data behind.")
@click.option("--log-level", default="ERROR", show_default=True, help="Of the services, on standard error.")
@click.option("--require-found", type=float, default=None, help="Status 1 when a smaller share was found.")
@click.option("--require-false", type=float, default=None, help="Status 1 with more false pages a festival.")
def rehearse(
    seed: int,
    seeds: int,
    hours: float,
    variant: str,
    rate: float,
    start: str,
    incidents: tuple[str, ...],
    slow: str,
    lag: int,
    lag_at: int | None,
    speed: str,
    step: str,
    history: str,
    out: Path | None,
    data_dir: Path | None,
    kafka: str | None,
    keep: bool,
    log_level: str,
    require_found: float | None,
    require_false: float | None,
) -> None:
    """Runs generated festivals through broker, ingest, store, alerts and delivery, faster than the clock, and marks
    what was paged: found, missed, false, and how late."""
    import uvloop

    from services.common.logs import configure_logs
    from services.rehearsal.driver import Pacing
    from services.rehearsal.programme import Plan
    from services.rehearsal.report import as_json, as_text
    from services.rehearsal.stage import Place
    from services.simulator.incidents import parse_incident

    configure_logs(log_level)
    prefix = "campaign." if kafka is None else f"rehearsal-{uuid.uuid4().hex[:8]}."
    plan = Plan(
        seed=seed,
        seeds=seeds,
        start_ms=_moment(start),
        hours=hours,
        variant=variant,  # type: ignore[arg-type]  # click has checked it
        events_per_second=rate,
        incidents=[parse_incident(text) for text in incidents] if incidents else None,
        slow=slow,
        lag_seconds=lag,
        lag_at=lag_at,
        topic_prefix=prefix,
    )
    pacing = Pacing(
        _milliseconds("--step", step, 1, 60),
        _milliseconds("--history", history, 0, 3600),
        None if speed == "max" else max(0.1, _number("--speed", speed)),
    )
    with _directory(data_dir, keep) as directory:
        try:
            outcome, path = uvloop.run(_run(plan, pacing, Place(directory, kafka, _free_port(), prefix)))
        except (asyncio.CancelledError, KeyboardInterrupt):
            click.echo("Stopped before its end.", err=True)
            sys.exit(130)
    if out is not None:
        document = as_json(outcome, plan, path, pacing.step_ms)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    click.echo(as_text(outcome, path))
    if _below(outcome, require_found, require_false):
        sys.exit(1)


async def _run(plan: Plan, pacing: Pacing, place: Place) -> tuple[Outcome, str]:
    from services.rehearsal import driver
    from services.rehearsal.programme import Rehearsed
    from services.rehearsal.receiver import receiving
    from services.rehearsal.stage import Stage

    # The broker is a session of its own and would outlive us.
    task, stop = asyncio.current_task(), asyncio.Event()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: task.cancel() if stop.is_set() else stop.set())
    rehearsed = Rehearsed(plan)
    async with receiving() as receiver:
        stage = Stage(place, receiver, plan.start_ms)
        try:
            await stage.open()
            say = lambda line: click.echo(line, err=True)  # noqa: E731
            return await driver.rehearse(stage, rehearsed, receiver, pacing, say, stop), stage.path
        finally:
            await stage.close()


def _below(outcome: Outcome, found: float | None, false: float | None) -> bool:
    share = outcome.score.found_share
    return (found is not None and share is not None and share < found) or (
        false is not None and outcome.score.false_per_festival > false
    )


@contextmanager
def _directory(given: Path | None, keep: bool) -> Iterator[Path]:
    directory = given or Path(tempfile.mkdtemp(prefix="warroom-rehearsal-", dir=_scratch()))
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise ConfigurationError(f"{directory} is not empty: a rehearsal is marked by what it finds in its own store")
    try:
        yield directory
    finally:
        if keep:
            click.echo(f"Kept in {directory}", err=True)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _scratch() -> str | None:
    # Of ten thousand small inserts a fifth of the time would go into creating files on a disk.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_BYTES
    return str(memory) if roomy else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"--start {text!r} is no RFC 3339 time") from error
    if moment.tzinfo is None:
        raise ConfigurationError(f"--start {text!r} has no offset; end it with Z or +08:00")
    return to_ms(moment) // 1000 * 1000


def _milliseconds(option: str, text: str, least: int, most: int) -> int:
    seconds = _number(option, text.removesuffix("s"))
    if not least <= seconds <= most:
        raise ConfigurationError(f"{option} is between {least}s and {most}s")
    return round(seconds * 1000)


def _number(option: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ConfigurationError(f"{option} {text!r} is no number") from error
    if not 0 <= number < float("inf"):
        raise ConfigurationError(f"{option} is at least 0")
    return number
