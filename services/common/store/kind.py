"""Whether the tables that are there are those of one server or of a cluster, and whether the settings say the same."""

from __future__ import annotations

from services.common.errors import ConfigurationError
from services.common.store.clustered import ClusteredStore
from services.common.store.interface import Store

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
