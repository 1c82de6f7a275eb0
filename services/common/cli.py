"""`warroom migrate`."""

from __future__ import annotations

import click

from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.settings import load_settings
from services.common.store.clickhouse import store_of
from services.common.store.migrate import migrate as apply_migrations


@click.command()
def migrate() -> None:
    """Applies the ClickHouse migrations that are missing in WARROOM_CLICKHOUSE_URL."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that is to be migrated")
    store = store_of(settings)
    try:
        done = apply_migrations(store)
    finally:
        store.close()
    click.echo(f"{len(done)} migration(s) applied")
