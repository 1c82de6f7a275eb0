"""`warroom ingest` and `warroom rewind`."""

from __future__ import annotations

import asyncio

import click
import uvloop

from services.common.access.service import AccessService
from services.common.edge import rules_of
from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.runtime import run_services
from services.common.settings import load_settings
from services.common.store.clickhouse import store_of
from services.common.tracing import start_tracing
from services.ingest.rewind import ends_of
from services.ingest.rewind import rewind as set_back
from services.ingest.service import IngestService


@click.command()
@click.option("--http-host", default=None, help="Address of health and metrics.")
@click.option("--http-port", type=int, default=None, help="Port of health and metrics.")
def ingest(http_host: str | None, http_port: int | None) -> None:
    """Carries the events of WARROOM_KAFKA_BOOTSTRAP_SERVERS into WARROOM_CLICKHOUSE_URL."""
    settings = load_settings(http_host=http_host, http_port=http_port)
    configure_logs(settings.log_level)
    start_tracing(settings, "ingest")
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("set WARROOM_KAFKA_BOOTSTRAP_SERVERS to the Kafka that is to be read")
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that is to be written")
    store = store_of(settings)
    try:
        access = AccessService(settings, store)
        uvloop.run(
            run_services(
                [IngestService(settings, store)],
                access,
                host=settings.http_host,
                port=settings.http_port,
                rules=rules_of(settings),
            )
        )
    finally:
        store.close()


@click.command()
@click.option("--yes", is_flag=True, help="Do it; without this it only tells what it would do.")
def rewind(yes: bool) -> None:
    """Sets the offsets of the consumer group to where the ledger of the store ends: after a restore, before ingest."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("set WARROOM_KAFKA_BOOTSTRAP_SERVERS to the Kafka whose offsets are to be set")
    store = store_of(settings)
    try:
        ends = ends_of(store, settings)
    finally:
        store.close()
    if not yes:
        for partition, checkpoint in sorted(ends.items()):
            click.echo(f"{partition.topic}[{partition.partition}]: the ledger ends at {checkpoint.start}")
        click.echo("all other partitions: from the start of the log; call it with --yes to set these offsets")
        return
    for each in asyncio.run(set_back(settings, ends)):
        click.echo(f"{each.topic}[{each.partition}]: {each.before} is {each.after} now")
