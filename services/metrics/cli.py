"""`warroom metrics`."""

from __future__ import annotations

import click
import uvloop

from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.runtime import run_services
from services.common.settings import load_settings
from services.common.store.clickhouse import open_store
from services.metrics.service import MetricsService


@click.command()
@click.option("--host", help="address to bind; default WARROOM_HTTP_HOST")
@click.option("--port", type=int, help="port to bind; default WARROOM_HTTP_PORT")
def metrics(host: str | None, port: int | None) -> None:
    """Serves numbers, the live stream and the page from WARROOM_CLICKHOUSE_URL."""
    settings = load_settings(http_host=host, http_port=port)
    configure_logs(settings.log_level)
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that ingest writes to")
    store = open_store(settings.clickhouse_url.get_secret_value(), timeout_seconds=settings.store_timeout_seconds)
    try:
        uvloop.run(run_services([MetricsService(settings, store)], host=settings.http_host, port=settings.http_port))
    finally:
        store.close()
