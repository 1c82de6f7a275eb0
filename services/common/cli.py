"""`warroom migrate`."""

from __future__ import annotations

import click

from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.settings import load_settings
from services.common.store.clickhouse import store_of
from services.common.store.lifetime import apply_lifetimes
from services.common.store.migrate import migrate as apply_migrations


@click.command()
@click.option("--shards", type=int, help="That the cluster has this many shards now is meant; see docs/clickhouse.md.")
def migrate(shards: int | None) -> None:
    """Applies the ClickHouse migrations that are missing in WARROOM_CLICKHOUSE_URL, and the retention of its tables."""
    settings = load_settings()
    configure_logs(settings.log_level)
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store that is to be migrated")
    store = store_of(settings)
    try:
        done = apply_migrations(store, accepted_shards=shards)
        changed = apply_lifetimes(store, settings)
    finally:
        store.close()
    click.echo(f"{len(done)} migration(s) applied, lifetime of {len(changed)} table(s) changed")
