"""A `Store` of a cluster: statements are turned by `Topology`, and an insert returns when every replica has it."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any, Protocol

import pyarrow as pa

from services.common.errors import ConfigurationError, StoreError, StoreUnavailable
from services.common.store.interface import Parameters, Row
from services.common.store.topology import Topology

_READ: dict[str, Any] = {
    # A table in a subquery of IN or JOIN is read once, from all shards, and the result goes to each of them.
    "distributed_product_mode": "global",
    # A shard that does not answer is an error, never a smaller number.
    "skip_unavailable_shards": 0,
}

_WRITE: dict[str, Any] = {
    **_READ,
    # The call returns when the shards have the rows, and each got its rows as one block, under the caller's token.
    "distributed_foreground_insert": 1,
    # Parallel inserts into one table; each waits for its own quorum. See `_quorum`.
    "insert_quorum_parallel": 1,
}

_DEFINE: dict[str, Any] = {
    **_WRITE,
    # A statement is done when all servers have done it; one that is away is an error, and the statement is repeated.
    "distributed_ddl_output_mode": "throw",
    "distributed_ddl_task_timeout": 300,
}

_REWRITE = {
    **_DEFINE,
    # To wait within the queue of definitions would keep all others waiting, for as long as rows are rewritten.
    "mutations_sync": 0,
    # A subquery has to answer the same to every replica: see `ClusteredStore._rewrite`.
    "allow_nondeterministic_mutations": 1,
    # What it answers must not become part of the statement, which servers and Keeper remember.
    "mutations_execute_subqueries_on_initiator": 0,
    "mutations_execute_nondeterministic_on_initiator": 0,
}

_REWRITTEN = """
SELECT
    countIf(is_done) AS done,
    countIf(NOT is_done) AS going,
    sumIf(parts_to_do, NOT is_done) AS parts,
    maxIf(latest_fail_reason, NOT is_done) AS reason
FROM clusterAllReplicas('{cluster}', system.mutations)
WHERE database = {{database:String}} AND position(command, {{tag:String}}) > 0
"""

_SERVERS = "SELECT count() AS servers FROM clusterAllReplicas('{cluster}', system.one)"

_LONGEST_PAUSE = 5.0
_STUCK_SECONDS = 60.0
"""So long a server may fail to rewrite rows before it is told; it goes on trying."""

_LAYOUTS = """
CREATE TABLE IF NOT EXISTS cluster_layouts
(
    shards UInt16,
    since DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY since
"""

_QUORUM_SHARE = 0.8
"""Of the time that a call may take, so that the shard says what happened before the caller gives up."""

_MAJORITY_IS_ALL = 2


logger = logging.getLogger(__name__)


class Servers(Protocol):
    """The store of one of the servers, whose calls take ClickHouse settings besides."""

    def query(
        self, sql: str, parameters: Parameters | None = None, *, settings: dict[str, Any] | None = None
    ) -> list[Row]:
        """As `Store.query`."""
        ...

    def query_arrow(
        self, sql: str, parameters: Parameters | None = None, *, settings: dict[str, Any] | None = None
    ) -> pa.Table:
        """As `Store.query_arrow`."""
        ...

    def insert(
        self, table: str, rows: pa.Table, *, token: str | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """As `Store.insert`."""
        ...

    def command(
        self, sql: str, parameters: Parameters | None = None, *, settings: dict[str, Any] | None = None
    ) -> None:
        """As `Store.command`."""
        ...

    def close(self) -> None:
        """As `Store.close`."""
        ...


class ClusteredStore:
    """Every replica of a shard may be asked at any time, so an insert returns when all of them have it.

    With one or two replicas a shard that is the quorum `auto`, which each shard counts for itself: when one is lost for
    good, `SYSTEM DROP REPLICA` lets the other go on alone. With more it is their number.
    """

    def __init__(self, servers: Servers, topology: Topology, timeout_seconds: float) -> None:
        self.topology = topology
        self._servers = servers
        self._timeout_seconds = timeout_seconds
        self._quorum_ms = int(timeout_seconds * _QUORUM_SHARE * 1000)
        self._replicas: int | None = None
        self._slots = 0

    def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return self._servers.query(self.topology.query(sql), parameters, settings=_READ)

    def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        return self._servers.query_arrow(self.topology.query(sql), parameters, settings=_READ)

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        settings = {**_WRITE, **self._quorum()}
        try:
            self._servers.insert(table, rows, token=token, settings=settings)
        except StoreError:
            # Perhaps there is a replica more or less by now.
            self._replicas = None
            raise

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        tag = uuid.uuid4().hex
        if (rewriting := self.topology.rewriting(sql, tag)) is not None:
            self._rewrite(rewriting, parameters, tag)
            return
        for statement in self.topology.command(sql):
            self._servers.command(statement, parameters, settings={**_DEFINE, **self._quorum()})

    def slots(self) -> int:
        self._quorum()
        return self._slots

    def close(self) -> None:
        self._servers.close()

    def _rewrite(self, statement: str, parameters: Parameters | None, tag: str) -> None:
        """Returns when every server has rewritten its rows. Raises `StoreUnavailable` when one is away, fails to, or
        does not come to an end in time: it goes on by itself, and the caller asks again.

        Each replica asks the statement's subqueries for itself, at a moment of its own. They may therefore read
        nothing that changes before this returns.
        """
        (known,) = self._servers.query(_SERVERS.format(cluster=self.topology.cluster), settings=_READ)
        self._servers.command(statement, parameters, settings=_REWRITE)
        question = _REWRITTEN.format(cluster=self.topology.cluster)
        asked = {"database": self.topology.shard_database, "tag": tag}
        begun, failing, pause = time.monotonic(), None, 0.05
        while True:
            (now,) = self._servers.query(question, asked, settings=_READ)
            if now["done"] >= known["servers"]:
                return
            waited = time.monotonic() - begun
            failing = (failing if failing is not None else waited) if now["reason"] else None
            stuck = failing is not None and waited - failing > _STUCK_SECONDS
            if stuck or waited > self._timeout_seconds:
                raise StoreUnavailable(
                    f"rows are rewritten on {now['done']} of {known['servers']} servers so far, {now['parts']} parts "
                    f"are left on the others{': ' + now['reason'] if now['reason'] else ''}; ask again"
                )
            time.sleep(pause)
            if pause < _LONGEST_PAUSE:
                pause *= 1.5
            else:
                logger.info(
                    "rows are being rewritten",
                    extra={"servers": known["servers"], "done": now["done"], "parts": now["parts"]},
                )

    def prepare(self, accepted_shards: int | None = None) -> None:
        """What comes before the first migration: the databases, and how many shards rows are spread over.

        Raises `ConfigurationError` as `shards`, and when there are more or fewer than before: where a row belongs
        depends on it. `accepted_shards` says that this number is meant.
        """
        shards = self.shards()
        for statement in self.topology.databases():
            self._servers.command(statement, settings=_DEFINE)
        self.command(_LAYOUTS)
        known = self.query("SELECT shards FROM cluster_layouts ORDER BY since DESC, shards DESC LIMIT 1")
        if known and known[0]["shards"] == shards:
            return
        if known and accepted_shards != shards:
            raise ConfigurationError(
                f"the cluster {self.topology.cluster!r} has {shards} shards and had {known[0]['shards']}: where a "
                "user's events belong depends on it; read docs/clickhouse.md, and then "
                f"call `warroom migrate --shards {shards}`"
            )
        self.command("INSERT INTO cluster_layouts (shards) VALUES ({shards:UInt16})", {"shards": shards})

    def shards(self) -> int:
        """How many shards the cluster has. Raises `ConfigurationError` when the server that was asked does not know
        it, or when it is laid out in a way that would cost numbers or rows."""
        rows = self._servers.query(
            "SELECT shard_num, count() AS replicas, min(internal_replication) AS internal, min(shard_weight) AS weight "
            "FROM system.clusters WHERE cluster = {cluster:String} GROUP BY shard_num ORDER BY shard_num",
            {"cluster": self.topology.cluster},
        )
        name = f"the cluster {self.topology.cluster!r} of WARROOM_CLICKHOUSE_CLUSTER"
        if not rows:
            raise ConfigurationError(f"{name} is not among the `remote_servers` of the server that was asked")
        if not all(row["internal"] for row in rows):
            raise ConfigurationError(
                f"{name} writes to every replica by itself, and rows would count twice: "
                "set `internal_replication` to true in each shard of `remote_servers`"
            )
        if len({row["replicas"] for row in rows}) > 1:
            raise ConfigurationError(f"{name} has shards with different numbers of replicas; give each the same")
        self._replicas = int(rows[0]["replicas"])
        self._slots = sum(int(row["weight"]) for row in rows)
        return len(rows)

    def _quorum(self) -> dict[str, Any]:
        if self._replicas is None:
            try:
                self.shards()
            except ConfigurationError as error:
                # A server that has just lost or changed its configuration; whoever inserts goes on trying.
                raise StoreUnavailable(str(error)) from error
        assert self._replicas is not None
        quorum = "auto" if self._replicas <= _MAJORITY_IS_ALL else str(self._replicas)
        return {"insert_quorum": quorum, "insert_quorum_timeout": self._quorum_ms}
