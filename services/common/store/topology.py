"""A store of several ClickHouse servers: the same SQL, turned into what a cluster understands. Nothing is run here.

Services name tables as they do on one server. Behind each name stands a `Distributed` table of the database of the URL,
and what it reads and writes are tables of the same name in a database beside it (`<database>_shard`), one on each
shard, replicated within it. Materialized views are there too: each shard rolls up its own events.

Where a row lies (`PLACES`) makes each user's events the business of one shard, so that a question that follows users
through time can be left to the shards. All else is right wherever rows lie: sums, sets and latest values are merged as
states, and subqueries are asked once and sent to the shards (`distributed_product_mode = 'global'`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.common.errors import ConfigurationError
from services.common.store.interface import EACH_SHARD

HOME = "0"
"""A sharding key by which every row is on the first shard: tables that are small, and must be read as one."""

_USER = "cityHash64(user_id)"

PLACES: Mapping[str, str] = {
    "traffic_events": _USER,
    "order_events": _USER,
    "coupon_events": _USER,
    # Holds that hash.
    "funnel_by_span": "user",
    "stock_events": "cityHash64(item_id)",
    "spend_events": "cityHash64(event_id)",
    "dead_letters": "cityHash64(topic, kafka_partition, kafka_offset)",
    # All states of one set together, so that they are merged where they lie.
    "uniques_by_span": "cityHash64(campaign_id, measure, dimension, value, span, start)",
    # Fed on each shard by its events. The key is for who rebuilds one by hand.
    "traffic_by_minute": "cityHash64(campaign_id, dimension, value, minute)",
    "orders_by_minute": "cityHash64(campaign_id, dimension, value, minute)",
    "coupons_by_minute": "cityHash64(campaign_id, dimension, value, minute)",
    "spend_by_minute": "cityHash64(campaign_id, dimension, value, minute)",
    "stock_by_minute": "cityHash64(campaign_id, item_id, warehouse_id)",
    "pulse_by_second": "cityHash64(campaign_id, second, channel)",
    "campaign_activity": "cityHash64(campaign_id, kind)",
}
"""The sharding key of each table that is spread over the shards. Whatever is not named here lives at `HOME`."""

TOKEN_SECONDS = 7 * 86_400
"""Replicated tables forget a token by its age, too."""

_NAME = r"[A-Za-z_]\w*"
_SOURCE = re.compile(rf"\b(FROM|(?<!ARRAY )JOIN|INTO|TO|TABLE)(\s+)({_NAME})\b(?!\s*[.(])")
_CREATE = re.compile(rf"CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS ({_NAME})(?![\w.])")
_ALTER = re.compile(rf"ALTER TABLE ({_NAME})(?![\w.])")
_MAINTENANCE = re.compile(rf"\s*(OPTIMIZE TABLE|TRUNCATE TABLE|DELETE FROM) ({_NAME})(?![\w.])")
_ENGINE = re.compile(r"\bENGINE = (\w*MergeTree)\b(\(([^()]*)\))?")
_REWRITE = re.compile(rf"\s*ALTER TABLE ({_NAME}) (UPDATE|DELETE)\b")
_WAITING = re.compile(r"\s+SETTINGS mutations_sync = [^()]*$")
_COLUMNS_ONLY = re.compile(r"\b(ADD|MODIFY|DROP|RENAME|COMMENT) COLUMN\b")
_SHARDS_ONLY = re.compile(
    r"\b(ADD|DROP|MATERIALIZE|CLEAR) (INDEX|PROJECTION|CONSTRAINT|STATISTICS)\b|\b(MODIFY|REMOVE) TTL\b|\bSETTING\b"
    r"|^\s*(DELETE|UPDATE|DROP PARTITION)\b"
)
_PARTS = re.compile(r"\bFROM system\.(parts|disks|mutations|replicas)\b")


@dataclass(frozen=True, slots=True)
class Topology:
    """A cluster as `remote_servers` names it, and the database of the URL."""

    cluster: str
    database: str

    @property
    def shard_database(self) -> str:
        """Where each shard's own tables are."""
        return f"{self.database}_shard"

    @property
    def _on_cluster(self) -> str:
        return f"ON CLUSTER '{self.cluster}'"

    def databases(self) -> list[str]:
        """The statements that come before all others."""
        return [
            f"CREATE DATABASE IF NOT EXISTS {name} {self._on_cluster}" for name in (self.database, self.shard_database)
        ]

    def definition(self, statement: str) -> list[str]:
        """The statements that do on a cluster what one of a migration does on a server; each may be repeated.

        Raises `ConfigurationError` for a form that is not known here: rather that than a table on one server only.
        """
        text = without_comments(statement).strip()
        if found := _CREATE.match(text):
            return self._create(text, found)
        if found := _ALTER.match(text):
            return self._alter(text, found)
        if text.startswith("INSERT INTO "):
            return [text]
        first = " ".join(text.split()[:4])
        raise ConfigurationError(
            f"a migration begins with {first!r}, of which services/common/store/topology.py does not know what it is "
            "on a cluster"
        )

    def command(self, sql: str) -> list[str]:
        """The statements of one that a service gives while it runs. Raises `ConfigurationError` as `definition`."""
        if found := _MAINTENANCE.match(sql):
            return [f"{found[1]} {self.shard_database}.{found[2]} {self._on_cluster}{sql[found.end() :]}"]
        if _CREATE.match(sql.strip()) or _ALTER.match(sql.strip()):
            return self.definition(sql)
        return [self.query(sql)]

    def rewriting(self, sql: str, tag: str) -> str | None:
        """What rewrites rows on every shard, where they are; None for any other statement.

        Tables of its subqueries are read as a whole. `tag` becomes part of what `system.mutations` has of it, and so
        tells the servers that know of it from those that have yet to hear.
        """
        found = _REWRITE.match(sql)
        if found is None:
            return None
        rest = self._qualified(_WAITING.sub("", sql[found.start(2) :]), self.database)
        return f"ALTER TABLE {self.shard_database}.{found[1]} {self._on_cluster} {rest}\nAND '{tag}' != ''"

    def query(self, sql: str) -> str:
        """A SELECT: what is marked with `EACH_SHARD` is done on the shards, and their own tables stand for them all."""
        if _PARTS.search(sql):
            sql = _PARTS.sub(rf"FROM clusterAllReplicas('{self.cluster}', system.\1)", sql)
            sql = sql.replace("currentDatabase()", f"'{self.shard_database}'")
        start = 0
        while (marked := sql.find(EACH_SHARD, start)) >= 0:
            opening = sql.index("(", marked)
            closing = _closing(sql, opening)
            inner = self._qualified(without_comments(sql[opening + 1 : closing]), self.shard_database)
            pushed = f"cluster('{self.cluster}', view({inner}))"
            sql = f"{sql[:marked]}{pushed}{sql[closing + 1 :]}"
            start = marked + len(pushed)
        return sql

    def _create(self, text: str, found: re.Match[str]) -> list[str]:
        kind, name = found[1], found[2]
        rest = text[found.end() :]
        if kind == "TABLE":
            return [self._replicated(name, rest), self._front(name)]
        database = self.database if kind == "VIEW" else self.shard_database
        body = self._qualified(rest, database)
        return [f"CREATE {kind} IF NOT EXISTS {database}.{name} {self._on_cluster}{body}"]

    def _replicated(self, name: str, rest: str) -> str:
        rest, engines = _ENGINE.subn(_replicated_engine, rest)
        if engines != 1:
            raise ConfigurationError(f"the table {name} of a migration needs one ENGINE of the MergeTree family")
        rest = re.sub(
            r"\bnon_replicated_deduplication_window = (\d+)",
            rf"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = {TOKEN_SECONDS}",
            rest,
        )
        return f"CREATE TABLE IF NOT EXISTS {self.shard_database}.{name} {self._on_cluster}{rest}"

    def _front(self, name: str) -> str:
        return (
            f"CREATE TABLE IF NOT EXISTS {self.database}.{name} {self._on_cluster} AS {self.shard_database}.{name}\n"
            f"ENGINE = Distributed('{self.cluster}', '{self.shard_database}', '{name}', {PLACES.get(name, HOME)})"
        )

    def _alter(self, text: str, found: re.Match[str]) -> list[str]:
        name, rest = found[1], text[found.end() :]
        columns, below = _COLUMNS_ONLY.search(rest), _SHARDS_ONLY.search(rest)
        if bool(columns) == bool(below):
            raise ConfigurationError(
                f"ALTER TABLE {name}: change columns in one statement, and indices, TTL or settings in another"
            )
        databases = [self.shard_database, self.database] if columns else [self.shard_database]
        return [f"ALTER TABLE {database}.{name} {self._on_cluster}{rest}" for database in databases]

    def _qualified(self, sql: str, database: str) -> str:
        return _SOURCE.sub(rf"\1\2{database}.\3", sql)


def _replicated_engine(found: re.Match[str]) -> str:
    arguments = f", {found[3]}" if found[3] else ""
    place = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
    return f"ENGINE = Replicated{found[1]}({place}{arguments})"


def without_comments(sql: str) -> str:
    """The same statement without what stands behind `--`; quoted text is left alone."""
    return re.sub(r"'(?:[^'\\]|\\.|'')*'|--[^\n]*", lambda found: "" if found[0].startswith("--") else found[0], sql)


def _closing(sql: str, opening: int) -> int:
    """Where the parenthesis is closed that is opened there."""
    depth = 0
    for found in re.finditer(r"'(?:[^'\\]|\\.|'')*'|--[^\n]*|[()]", sql[opening:]):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= 1
            if not depth:
                return opening + found.start()
    raise ValueError("a parenthesis is not closed")
