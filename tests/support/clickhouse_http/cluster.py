"""A cluster within one chDB: the real `Distributed` engine over shards that are all this process.

chDB has neither Keeper nor a queue of `ON CLUSTER` statements, so these are run at once and tables are plain. All
shards share the tables, and each reads of them what the sharding key gives to it (`additional_table_filters` with
`shardNum()`). What it shows: that every statement is one that the engine takes, that rows are cut by the sharding key,
and that answers are put together as a cluster does. What it cannot: replicas, and several servers.

With more than one shard the parts of a block have one token and one table here, so tokens are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from services.common.store.topology import HOME, PLACES

NAME = "war"
DATABASE = "default_shard"

_ON_CLUSTER = re.compile(rf" ON CLUSTER '{NAME}'")
_REPLICATED = re.compile(r"\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?")
_WINDOW = re.compile(r"\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+")
_TABLE = re.compile(rf"CREATE TABLE IF NOT EXISTS {DATABASE}\.(\w+)")
_READS = re.compile(r"\s*(SELECT|WITH|INSERT\b.*\bSELECT)\b", re.DOTALL)


def configuration(directory: Path, shards: int) -> Path:
    """Writes what a server of the cluster would have in its configuration."""
    shard = (
        "<shard><internal_replication>true</internal_replication>"
        "<replica><host>127.0.0.1</host><port>9000</port></replica></shard>"
    )
    file = directory / "cluster.xml"
    file.write_text(
        "<clickhouse><tcp_port>9000</tcp_port><macros><shard>01</shard><replica>one</replica></macros>"
        f"<remote_servers><{NAME}>{shard * shards}</{NAME}></remote_servers>"
        f"<storage_configuration><disks><cold><type>local</type><path>{directory}/cold/</path></cold></disks>"
        "<policies><tiered><volumes><default><disk>default</disk></default><cold><disk>cold</disk></cold></volumes>"
        "</tiered></policies></storage_configuration>"
        f"<backups><allowed_path>{directory}/backups</allowed_path></backups></clickhouse>",
        encoding="utf-8",
    )
    return file


class OneProcess:
    """What statements for the cluster become; `tables` are those that its shards have so far."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self.tables: set[str] = set()

    def statement(self, sql: str) -> str:
        """The same without what chDB lacks."""
        if found := _TABLE.match(sql):
            self.tables.add(found[1])
        sql = _ON_CLUSTER.sub("", sql)
        sql = _REPLICATED.sub(r"\1(", sql)
        return _WINDOW.sub(r"non_replicated_deduplication_window = \1", sql)

    def settings(self, sql: str) -> dict[str, str]:
        """Those under which each shard sees its own rows."""
        if self._shards == 1:
            return {}
        if not _READS.match(sql):
            return {"insert_deduplication_token": ""}
        filters = ", ".join(
            f"'{DATABASE}.{table}': '{PLACES.get(table, HOME)} % {self._shards} + 1 = shardNum()'"
            for table in sorted(self.tables)
        )
        return {"additional_table_filters": f"{{{filters}}}"}
