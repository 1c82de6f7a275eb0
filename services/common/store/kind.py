"""Whether the tables that are there are those of one server or of a cluster, and whether the settings say the same."""

from __future__ import annotations

from services.common.errors import ConfigurationError, StoreError
from services.common.settings import Settings
from services.common.store.clickhouse import store_of
from services.common.store.clustered import ClusteredStore
from services.common.store.interface import Store

_SECONDS = 3.0
"""Within which a server is to answer that is there at all."""

_ENGINE = "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"


def check_kind(store: Store) -> None:
    """Returns where both agree, and where there are no tables yet.

    Raises `ConfigurationError` where they do not: a cluster's tables reached as one server's would acknowledge inserts
    that the shards do not have yet, and one server's tables reached as a cluster's would stay on that server. Raises
    `StoreError` as `Store.query`.
    """
    found = store.query(_ENGINE)
    if not found:
        return
    spread = found[0]["engine"] == "Distributed"
    if spread and not isinstance(store, ClusteredStore):
        raise ConfigurationError(
            "the tables of this database are those of a cluster; set WARROOM_CLICKHOUSE_CLUSTER, for every service, to "
            "the name that the store was migrated with"
        )
    if not spread and isinstance(store, ClusteredStore):
        raise ConfigurationError(
            "WARROOM_CLICKHOUSE_CLUSTER is set, and the tables of this database are those of one server, which no "
            "other would have; name an empty database in WARROOM_CLICKHOUSE_URL and copy the rows: "
            "docs/clickhouse.md, From one server to a cluster"
        )


def refuse_other_kind(settings: Settings) -> None:
    """As `check_kind` of the server that the settings name, for a service that is about to start.

    Returns, too, where the server does not answer: a service starts before its store. An embedded store has one kind.
    """
    if settings.clickhouse_url is None or settings.embedded_store:
        return
    store = store_of(settings, timeout_seconds=_SECONDS)
    try:
        check_kind(store)
    except StoreError:
        pass
    finally:
        store.close()
