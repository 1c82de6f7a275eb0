"""`warroom audit`."""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx

from services.audit.audit import audit as run_audit
from services.audit.offsets import read_offsets
from services.audit.period import period
from services.audit.report import as_text
from services.audit.scope import Scope
from services.common.access.client import credentials
from services.common.clock import wall_clock
from services.common.errors import ConfigurationError, InvalidRequest, StoreError, WarroomError
from services.common.logs import configure_logs
from services.common.settings import Settings, load_settings
from services.common.store import Store
from services.common.store.clickhouse import store_of

_PATIENCE_SECONDS = 3_600.0


@click.command()
@click.option(
    "--from", "start", help="First moment of arrival, RFC 3339 or a date in UTC.  [default: a day before --to]"
)
@click.option("--to", "end", help="End of the period (excluded).  [default: now]")
@click.option("--day", help="One day of arrival in UTC, YYYY-MM-DD.")
@click.option("--topic", "topics", multiple=True, help="A topic, or the beginning of its name; may be repeated.")
@click.option("--campaign", help="Narrows the comparison of the rollups to one campaign.")
@click.option("--url", help="Asks the running `warroom standalone` at this address.  [default: WARROOM_EXTERNAL_URL]")
@click.option("--kafka", is_flag=True, help="Compares the ledger with WARROOM_KAFKA_BOOTSTRAP_SERVERS too.")
@click.option("--json", "as_json", is_flag=True, help="Prints the report as JSON.")
@click.option("--every", type=click.IntRange(1), help="Goes on and audits every so many seconds; serves /metrics.")
@click.option("--port", type=int, help="Port of /metrics with --every.  [default: WARROOM_HTTP_PORT]")
def audit(
    start: str | None,
    end: str | None,
    day: str | None,
    topics: tuple[str, ...],
    campaign: str | None,
    url: str | None,
    kafka: bool,
    as_json: bool,
    every: int | None,
    port: int | None,
) -> None:
    """Proves that what arrived in a period is in the tables once, and in every rollup.

    Reads WARROOM_CLICKHOUSE_URL; where that is not set, or with --url, asks a running standalone, whose store nobody
    else can open. Status 0: clean; 1: problems were found; 2: the audit could not be made.
    """
    settings = load_settings(http_port=port, audit_every_seconds=every)
    configure_logs(settings.log_level)
    try:
        if every is not None:
            if start or end or day or topics or campaign or url or kafka or as_json:
                raise ConfigurationError("--every audits what arrived today in every topic; give it no other option")
            _keep_auditing(settings)
            return
        begins, ends = period(start, end, day, wall_clock() + 1)
        if url is None and settings.clickhouse_url is None:
            url = settings.external_url
        if kafka and (url is not None or settings.kafka_bootstrap_servers is None):
            raise ConfigurationError("--kafka needs WARROOM_KAFKA_BOOTSTRAP_SERVERS and a store that it opens itself")
        if url is not None:
            given = {"from": start, "to": end, "day": day, "topic": list(topics), "campaign": campaign}
            report = _ask(url, {name: value for name, value in given.items() if value}, credentials(settings))
        else:
            scope = Scope(begins, ends, settings.duplicate_horizon_hours * 3_600_000, topics, campaign)
            store = _open(settings)
            try:
                offsets = (lambda: read_offsets(settings)) if kafka else None
                report = run_audit(store, scope, now=wall_clock(), offsets=offsets).to_json()
            finally:
                store.close()
    except InvalidRequest as error:
        raise ConfigurationError(f"--{error.field} {error.detail}") from None
    click.echo(json.dumps(report, ensure_ascii=False, indent=2) if as_json else as_text(report))
    sys.exit(0 if report["clean"] else 1)


def _open(settings: Settings) -> Store:
    if settings.clickhouse_url is None:
        raise ConfigurationError(
            "set WARROOM_CLICKHOUSE_URL to the store that is to be audited; `warroom standalone` audits itself with "
            "WARROOM_AUDIT_EVERY_SECONDS"
        )
    url = settings.clickhouse_url.get_secret_value()
    directory = Path(url.removeprefix("chdb://"))
    if settings.embedded_store and not any(directory.glob("*")):
        # To open it would make an empty one, which is clean.
        raise ConfigurationError(f"{directory} holds no store; WARROOM_CLICKHOUSE_URL names the directory of one")
    try:
        return store_of(settings, timeout_seconds=max(600.0, settings.store_timeout_seconds))
    except StoreError as error:
        if not settings.embedded_store:
            raise
        raise ConfigurationError(
            f"{url} cannot be opened; an embedded store belongs to one process, so if a Warroom runs on it, ask that "
            f"one: warroom audit --url http://127.0.0.1:8080 ({error})"
        ) from error


def _ask(url: str, parameters: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """Waits while another audit runs there, one on schedule for instance."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while True:
            answer = httpx.get(
                f"{url.rstrip('/')}/api/v1/audit", params=parameters, headers=headers, timeout=_PATIENCE_SECONDS
            )
            if answer.status_code != httpx.codes.CONFLICT or time.monotonic() > deadline:
                break
            time.sleep(random.uniform(0.5, 1.5))
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise WarroomError(f"no Warroom answers at {url}: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise WarroomError(f"the Warroom at {url} could not audit: {body.get('detail', answer.status_code)}")
    assert isinstance(body, dict)
    return body


def _keep_auditing(settings: Settings) -> None:
    import asyncio

    from services.audit.service import AuditService
    from services.common.access.service import AccessService
    from services.common.edge import rules_of
    from services.common.runtime import run_services

    store = _open(settings)
    try:
        access = AccessService(settings, store)
        asyncio.run(
            run_services(
                [AuditService(settings, store)],
                access,
                host=settings.http_host,
                port=settings.http_port,
                rules=rules_of(settings),
            )
        )
    finally:
        store.close()
