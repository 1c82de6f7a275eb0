"""What `warroom rules backtest` does and prints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from services.alerts.backtest.run import LONGEST_SECONDS, Incident, Report, as_json, backtest
from services.alerts.rules.load import load_rules
from services.alerts.rules.model import Rule, parse_duration
from services.common.clock import to_datetime, to_ms, wall_clock
from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.settings import Settings, load_settings
from services.common.store import StorePool
from services.common.store.clickhouse import store_of

_HEADS = ("fired at", "for", "severity", "rule", "labels", "pages", "summary")


def print_backtest(
    start: str, end: str | None, campaign: str | None, file: Path | None, step: str, *, as_json: bool
) -> None:
    """Raises `ConfigurationError`, and `StoreError` where the store does not answer."""
    settings = load_settings()
    configure_logs(settings.log_level)
    start_ms, end_ms = _moment("--from", start), wall_clock() if end is None else _moment("--to", end)
    if not 0 < end_ms - start_ms <= LONGEST_SECONDS * 1000:
        raise ConfigurationError("--to must be after --from, by seven days at the most: take longer periods in parts")
    try:
        seconds = parse_duration(step) // 1000
    except ValueError as error:
        raise ConfigurationError(f"--step {error}") from None
    if not 1 <= seconds <= 300:
        raise ConfigurationError("--step must be 1s to 5m")
    rules = load_rules(file or settings.rules_file)
    report = asyncio.run(_run(settings, rules, start_ms, end_ms, seconds, campaign))
    click.echo(_as_json(report, start_ms, end_ms, seconds) if as_json else _as_table(report))
    speed = report.looks / report.seconds if report.seconds else 0
    click.echo(f"{report.looks} looks at {len(rules)} rules in {report.seconds:.1f} s, {speed:.0f} a second", err=True)


async def _run(
    settings: Settings, rules: Sequence[Rule], start_ms: int, end_ms: int, step: int, campaign: str | None
) -> Report:
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that is to be read")
    store = store_of(settings)
    pool = StorePool(store, threads=2, name="backtest")
    try:
        return await backtest(pool, rules, start_ms, end_ms, step=step, campaign=campaign)
    finally:
        await pool.close()
        store.close()


def _moment(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text!r} is no moment; write 2026-11-11T20:00:00+08:00") from None
    if moment.tzinfo is None:
        raise ConfigurationError(f"{option} {text!r} has no offset; write 2026-11-11T20:00:00+08:00")
    return to_ms(moment)


def _text(moment: int) -> str:
    return to_datetime(moment).isoformat(timespec="seconds").replace("+00:00", "Z")


def _as_json(report: Report, start_ms: int, end_ms: int, step: int) -> str:
    return json.dumps(as_json(report, start_ms, end_ms, step, _text), ensure_ascii=False, indent=2)


def _as_table(report: Report) -> str:
    rows = [_HEADS, *(_row(incident) for incident in report.incidents)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS) - 1)]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    told = f"{len(report.incidents)} incident(s), {report.pages} page(s), {len(report.campaigns)} campaign(s)"
    if report.not_judged:
        told += f"; not judged, for the store does not hold what they look at: {', '.join(report.not_judged)}"
    return "\n".join([*(lines if report.incidents else []), told])


def _row(incident: Incident) -> tuple[str, ...]:
    alert = incident.alert
    lasted = "open" if incident.ended_at is None else f"{(incident.ended_at - incident.fired_at) // 1000} s"
    labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    return _text(incident.fired_at), lasted, alert.severity, alert.rule, labels, str(incident.pages), alert.summary
