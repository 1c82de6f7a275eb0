"""`warroom alerts`."""

from __future__ import annotations

import asyncio

import click

from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.settings import load_settings


@click.command()
@click.option("--http-port", type=int, default=None, help="Port of the HTTP paths; default WARROOM_HTTP_PORT.")
def alerts(http_port: int | None) -> None:
    """Judges the rules and delivers alerts, reading the store in WARROOM_CLICKHOUSE_URL."""
    from services.alerts.service import AlertsService
    from services.common.access.service import AccessService
    from services.common.edge import rules_of
    from services.common.runtime import run_services
    from services.common.store.clickhouse import store_of
    from services.common.store.kind import refuse_other_kind
    from services.common.tracing import start_tracing

    settings = load_settings(http_port=http_port)
    configure_logs(settings.log_level)
    start_tracing(settings, "alerts")
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that ingest writes to")
    refuse_other_kind(settings)
    store = store_of(settings)
    try:
        access = AccessService(settings, store)
        service = AlertsService(settings, store)
        asyncio.run(
            run_services([service], access, host=settings.http_host, port=settings.http_port, rules=rules_of(settings))
        )
    finally:
        store.close()
