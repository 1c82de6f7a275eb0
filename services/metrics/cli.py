"""`warroom metrics`."""

from __future__ import annotations

from collections.abc import Callable

import click
import uvloop

from services.common.access.service import AccessService
from services.common.edge import rules_of
from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.runtime import run_services
from services.common.service import Service
from services.common.settings import Settings, load_settings
from services.common.store.clickhouse import store_of
from services.common.store.kind import refuse_other_kind
from services.common.tracing import start_tracing
from services.metrics.service import MetricsService


@click.command()
@click.option("--host", "--http-host", "host", help="address to bind; default WARROOM_HTTP_HOST")
@click.option("--port", "--http-port", "port", type=int, help="port to bind; default WARROOM_HTTP_PORT")
@click.pass_obj
def metrics(companions: Callable[[Settings], list[Service]] | None, host: str | None, port: int | None) -> None:
    """Serves numbers, the live stream and the page from WARROOM_CLICKHOUSE_URL."""
    settings = load_settings(http_host=host, http_port=port)
    configure_logs(settings.log_level)
    start_tracing(settings, "metrics")
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that ingest writes to")
    refuse_other_kind(settings)
    store = store_of(settings)
    try:
        access = AccessService(settings, store)
        # What this package must not know is served beside it; the command hands it over.
        services = [MetricsService(settings, store), *(companions(settings) if companions else [])]
        uvloop.run(
            run_services(services, access, host=settings.http_host, port=settings.http_port, rules=rules_of(settings))
        )
    finally:
        store.close()
