"""A cluster within one chDB: the real `Distributed` engine over shards that are all this process.

chDB has neither Keeper nor a queue of `ON CLUSTER` statements, so these are run at once and tables are plain. All
shards share the tables, and each reads of them what the sharding key gives to it (`additional_table_filters` with
`shardNum()`). What it shows: that every statement is one that the engine takes, that rows are cut by the sharding key,
and that answers are put together as a cluster does. What it cannot: replicas, and several servers.

With more than one shard the rows of a block for each shard go into one table here, where a second part under the same
token would be taken for a repetition. So they are inserted one shard after the other, each under a token of its own: a
block that is sent again is known shard by shard, as it is where each shard has its own table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from services.common.store.topology import HOME, PLACES

NAME = "war"
DATABASE = "default_shard"

_ON_CLUSTER = re.compile(rf" ON CLUSTER '{NAME}'")
_REPLICATED = re.compile(r"\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?")
_WINDOW = re.compile(r"\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+")
_TABLE = re.compile(rf"CREATE TABLE IF NOT EXISTS {DATABASE}\.(\w+)")
_READS = re.compile(r"\s*(SELECT|WITH|INSERT\b.*\bSELECT)\b", re.DOTALL)
_INTO = re.compile(r"\s*INSERT INTO `?(\w+)`?(?![\w.`])")
_TOKEN = "insert_deduplication_token"


def _shard(*replicas: str, internal: bool = True) -> str:
    servers = [each.split(":") for each in replicas]
    listed = "".join(f"<replica><host>{host}</host><port>{port}</port></replica>" for host, port in servers)
    return f"<shard><internal_replication>{str(internal).lower()}</internal_replication>{listed}</shard>"


_NOBODY = "127.0.0.1:1"

OTHERS = {
    "paired": [_shard("127.0.0.1:9000", "localhost:9000")],
    "lame": [_shard("127.0.0.1:9000"), _shard(_NOBODY)],
    "widowed": [_shard("127.0.0.1:9000", _NOBODY)],
    "doubling": [_shard("127.0.0.1:9000", "localhost:9000", internal=False)],
    "uneven": [_shard("127.0.0.1:9000", "localhost:9000"), _shard("127.0.0.1:9000")],
}
"""Clusters that the server knows besides, most of them laid out badly. Nothing is made on them."""


def configuration(directory: Path, shards: int) -> Path:
    """Writes what a server of the cluster would have in its configuration."""
    shard = _shard("127.0.0.1:9000")
    others = "".join(f"<{name}>{''.join(parts)}</{name}>" for name, parts in OTHERS.items())
    file = directory / "cluster.xml"
    file.write_text(
        "<clickhouse><tcp_port>9000</tcp_port><macros><shard>01</shard><replica>one</replica></macros>"
        f"<remote_servers><{NAME}>{shard * shards}</{NAME}>{others}</remote_servers>"
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
            return {}
        filters = ", ".join(
            f"'{DATABASE}.{table}': '{PLACES.get(table, HOME)} % {self._shards} + 1 = shardNum()'"
            for table in sorted(self.tables)
        )
        return {"additional_table_filters": f"{{{filters}}}"}

    def shards_of(
        self, sql: str, data: bytes, settings: dict[str, str], hashed: Callable[[str, bytes], pa.Table]
    ) -> list[tuple[bytes, dict[str, str]]]:
        """The rows of an INSERT in Arrow's file format as each shard gets them, with the settings of each.

        `hashed` evaluates an expression over such rows.
        """
        found = _INTO.match(sql)
        key = PLACES.get(found[1]) if found else None
        if self._shards == 1 or key is None or not settings.get(_TOKEN):
            return [(data, settings)]
        rows = pa.ipc.open_file(data).read_all()
        shard_of = hashed(f"{key} % {self._shards} AS shard", data).column("shard")
        parts = []
        for shard in range(self._shards):
            part = rows.filter(pc.equal(shard_of, shard)).combine_chunks()
            if part.num_rows:
                sink = pa.BufferOutputStream()
                with pa.ipc.new_file(sink, part.schema) as writer:
                    writer.write_table(part)
                parts.append((sink.getvalue().to_pybytes(), {**settings, _TOKEN: f"{settings[_TOKEN]}/{shard}"}))
        return parts
