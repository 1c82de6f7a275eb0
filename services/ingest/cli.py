"""`warroom ingest`."""

from __future__ import annotations

import click
import uvloop

from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.runtime import run_services
from services.common.settings import load_settings
from services.common.store.clickhouse import store_of
from services.ingest.service import IngestService


@click.command()
@click.option("--http-host", default=None, help="Address of health and metrics.")
@click.option("--http-port", type=int, default=None, help="Port of health and metrics.")
def ingest(http_host: str | None, http_port: int | None) -> None:
    """Carries the events of WARROOM_KAFKA_BOOTSTRAP_SERVERS into WARROOM_CLICKHOUSE_URL."""
    settings = load_settings(http_host=http_host, http_port=http_port)
    configure_logs(settings.log_level)
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("set WARROOM_KAFKA_BOOTSTRAP_SERVERS to the Kafka that is to be read")
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that is to be written")
    store = store_of(settings)
    try:
        uvloop.run(run_services([IngestService(settings, store)], host=settings.http_host, port=settings.http_port))
    finally:
        store.close()
