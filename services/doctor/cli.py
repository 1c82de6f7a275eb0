"""`warroom doctor`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from services.common.clock import wall_clock
from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.secret_files import read_secret, secret_files
from services.common.settings import Settings, load_settings
from services.common.store import Store, StorePool
from services.common.store.clickhouse import store_of
from services.doctor.checks import CHECKS
from services.doctor.examination import examine
from services.doctor.finding import Finding, Verdict, fail, worst
from services.doctor.patient import Patient, Receivers
from services.doctor.report import as_json, as_text


@click.command()
@click.option("--url", "urls", multiple=True, help="A service to look at, e.g. http://127.0.0.1:8080. Repeatable.")
@click.option("--send", is_flag=True, help="Send every receiver a test alert and its end; people may be called.")
@click.option(
    "--api-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with an API key to try at --url; else WARROOM_API_KEY_FILE.",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 300), default=15.0, show_default=True, help="How long a check may take."
)
@click.option("--json", "as_document", is_flag=True, help="For programs.")
@click.pass_obj
def doctor(
    receivers: Receivers,
    urls: tuple[str, ...],
    send: bool,
    api_key_file: Path | None,
    seconds: float,
    as_document: bool,
) -> None:
    """Looks at the installation that the settings describe and says what is wrong, and what to do.

    Changes nothing. Status 0 when nothing fails, warnings included; 1 when something does.
    """
    findings = _findings(receivers, urls, send=send, key_file=api_key_file, seconds=seconds)
    click.echo(as_json(findings) if as_document else as_text(findings))
    sys.exit(1 if worst(findings) is Verdict.FAIL else 0)


def _findings(
    receivers: Receivers, urls: tuple[str, ...], *, send: bool, key_file: Path | None, seconds: float
) -> list[Finding]:
    try:
        settings = load_settings()
        file = key_file or settings.api_key_file
        key = None if file is None else read_secret("the file of the API key", file)
    except ConfigurationError as error:
        return [fail("settings", str(error), "no service starts with these; correct them")]
    # What libraries log is said by the findings.
    configure_logs("ERROR")
    return asyncio.run(_examine(settings, receivers, urls, send=send, key=key, seconds=seconds))


async def _examine(
    settings: Settings, receivers: Receivers, urls: tuple[str, ...], *, send: bool, key: str | None, seconds: float
) -> list[Finding]:
    store = _open(settings, seconds)
    pool = None if store is None else StorePool(store, threads=len(CHECKS), name="doctor")
    patient = Patient(
        settings=settings,
        secrets=secret_files(Settings, os.environ),
        store=pool,
        urls=urls,
        receivers=receivers,
        send=send,
        api_key=key,
        seconds=seconds,
        clock=wall_clock,
    )
    try:
        return await examine(patient, CHECKS)
    finally:
        if store is not None and pool is not None:
            # First the connections: a thread that waits for an answer would keep us here.
            store.close()
            await pool.close()


def _open(settings: Settings, seconds: float) -> Store | None:
    """The ClickHouse server; None for an embedded store, which belongs to the process that runs it."""
    if settings.clickhouse_url is None or settings.embedded_store:
        return None
    return store_of(settings, timeout_seconds=seconds)
