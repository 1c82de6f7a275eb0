"""Whether the cluster that the settings name is the one that the store was prepared with, and is all there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.common.errors import StoreError
from services.common.store import StorePool
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

_LAYOUT = "docs/clickhouse.md, A cluster"
_ADDING = "docs/clickhouse.md, Adding a shard"
_MOST_NAMED = 5

_KNOWN = "SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster"
_SERVERS = """
SELECT
    shard_num,
    replica_num,
    host_name,
    port,
    internal_replication,
    shard_weight
FROM system.clusters
WHERE cluster = {cluster:String}
ORDER BY shard_num, replica_num
"""
_PREPARED = "SELECT shards FROM cluster_layouts ORDER BY since DESC, shards DESC LIMIT 1"
_FRONTS = """
SELECT count() AS fronts
FROM system.tables
WHERE database = currentDatabase() AND engine = 'Distributed'
"""
# One that does not answer is left out, so that it can be told which one it is; of numbers nobody may be left out.
_ANSWERS = """
SELECT DISTINCT _shard_num AS number
FROM clusterAllReplicas('%s', system.one)
SETTINGS skip_unavailable_shards = 1
"""
# Where a replica keeps its state in Keeper is its own.
ENGINE = """replaceRegexpOne(engine_full, '^(Replicated\\\\w+)\\\\(\\'[^\\']*\\', \\'[^\\']*\\'', '\\\\1(')"""
"""How a table keeps its rows, the same on every replica."""

_TABLES = f"""
SELECT
    _shard_num AS number,
    concat(database, '.', table) AS name,
    groupBitXor(cityHash64(columns.name, type, default_kind, default_expression, position)) AS made
FROM clusterAllReplicas('%s', system.columns) AS columns
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard'))
GROUP BY
    number,
    name
UNION ALL
SELECT
    _shard_num AS number,
    concat(database, '.', tables.name, ' (engine)') AS name,
    groupBitXor(cityHash64({ENGINE}, as_select)) AS made
FROM clusterAllReplicas('%s', system.tables) AS tables
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard'))
GROUP BY
    number,
    name
SETTINGS skip_unavailable_shards = 1
"""


@dataclass(frozen=True, slots=True)
class Server:
    """One replica of one shard, as `system.clusters` of the server that was asked has it."""

    shard: int
    replica: int
    address: str
    internal_replication: bool = True
    weight: int = 1

    def __str__(self) -> str:
        return f"{self.address} (shard {self.shard}, replica {self.replica})"


async def cluster(patient: Patient) -> Sequence[Finding]:
    """The layout, who answers, and whether all have the same tables."""
    name, pool = patient.settings.clickhouse_cluster, patient.store
    if pool is None:
        return [skipped("cluster", "there is no ClickHouse server to ask")]
    if name is None:
        fronts = (await pool.query(_FRONTS))[0]["fronts"]
        return [judge_single(int(fronts))]
    servers = [
        Server(
            int(row["shard_num"]),
            int(row["replica_num"]),
            f"{row['host_name']}:{row['port']}",
            bool(row["internal_replication"]),
            int(row["shard_weight"]),
        )
        for row in await pool.query(_SERVERS, {"cluster": name})
    ]
    if not servers:
        known = [str(row["cluster"]) for row in await pool.query(_KNOWN)]
        return [judge_unknown(name, known)]
    answered = {int(row["number"]) for row in await pool.query(_ANSWERS % name)}
    there = numbered(servers)
    away = [server for number, server in there.items() if number not in answered]
    findings = [
        *judge_layout(name, servers, await _prepared(pool, name)),
        *judge_away(servers, [each.address for each in away]),
    ]
    made: dict[int, dict[str, int]] = {number: {} for number in answered}
    for row in await pool.query(_TABLES % (name, name)):
        made.setdefault(int(row["number"]), {})[str(row["name"])] = int(row["made"])
    return [*findings, judge_same({str(there.get(number, number)): tables for number, tables in made.items()})]


async def _prepared(pool: StorePool, name: str) -> int | None:
    """How many shards `warroom migrate` saw last; None when it has never run here."""
    found = await pool.query(
        "SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'cluster_layouts'"
    )
    if not found:
        return None
    try:
        rows = await pool.query(_PREPARED)
    except StoreError:
        # The first shard has it; that it does not answer is told besides.
        return 0
    return int(rows[0]["shards"]) if rows else None


def numbered(servers: Sequence[Server]) -> dict[int, Server]:
    """The servers as `clusterAllReplicas` numbers them: in order, from 1, no address twice."""
    first: dict[str, Server] = {}
    for server in servers:
        first.setdefault(server.address, server)
    return dict(enumerate(first.values(), start=1))


def judge_single(fronts: int) -> Finding:
    """`fronts` is how many tables stand for those of other servers, where the settings name no cluster."""
    if not fronts:
        return skipped("cluster", "the settings name none: one server has it all")
    return fail(
        "cluster",
        f"{fronts} tables stand for those of a cluster, and WARROOM_CLICKHOUSE_CLUSTER is not set: an insert would be "
        "acknowledged before the shards have it, and questions about users would be asked wrongly",
        f"set it, for every service, to the name that the store was migrated with; {_LAYOUT}",
    )


def judge_unknown(name: str, known: Sequence[str]) -> Finding:
    """`known` are the clusters that the server does know."""
    others = f"it knows {', '.join(known[:_MOST_NAMED])}" if known else "it knows none"
    return fail(
        "cluster",
        f"{name} of WARROOM_CLICKHOUSE_CLUSTER is not among the `remote_servers` of the server that was asked; "
        f"{others}",
        f"give every server deploy/clickhouse/cluster.xml, or correct the setting; {_LAYOUT}",
    )


def judge_layout(name: str, servers: Sequence[Server], prepared: int | None) -> list[Finding]:
    """`prepared` is the number of shards that the store was prepared with; 0 where it could not be asked."""
    replicas: dict[int, int] = {}
    for server in servers:
        replicas[server.shard] = replicas.get(server.shard, 0) + 1
    shards, most, least = len(replicas), max(replicas.values()), min(replicas.values())
    findings = []
    if not all(server.internal_replication for server in servers):
        findings.append(
            fail(
                "cluster",
                f"{name} writes to every replica by itself: rows would count twice",
                "set `internal_replication` to true in each shard of `remote_servers`, on every server",
            )
        )
    if least < most:
        few = ", ".join(str(shard) for shard, count in replicas.items() if count < most)
        findings.append(
            fail(
                "cluster",
                f"{name} has up to {most} replicas a shard, and shard {few} has fewer",
                f"give each shard as many; {_LAYOUT}",
            )
        )
    if len({server.weight for server in servers}) > 1:
        findings.append(
            warn(
                "cluster",
                f"{name} gives its shards different weights: one of them gets more users than another",
                "leave `weight` away, unless the machines differ; it must never change while a campaign runs",
            )
        )
    if prepared is None:
        findings.append(fail("cluster", f"{name} was never prepared", "run `warroom migrate`"))
    elif prepared not in (0, shards):
        findings.append(
            fail(
                "cluster",
                f"{name} has {shards} shards and the store was prepared with {prepared}: new events of a user go to "
                "another shard than the earlier ones, and funnels count such users twice",
                "put `remote_servers` back, or, if it is meant, "
                f"{_ADDING}, and then `warroom migrate --shards {shards}`",
            )
        )
    if findings:
        return findings
    if most == 1:
        return [
            warn(
                "cluster",
                f"{name} has {shards} shard(s) of one replica: whoever loses a disk loses its rows",
                f"give each shard a second replica; {_LAYOUT}",
            )
        ]
    said = f"{name} has {shards} shard(s) of {most} replicas, as the store was prepared"
    return [ok("cluster", said)]


def judge_away(servers: Sequence[Server], away: Collection[str]) -> list[Finding]:
    """`away` are addresses that did not answer the server that was asked."""
    shards = sorted({server.shard for server in servers})
    findings = []
    for shard in shards:
        of_it = [server for server in servers if server.shard == shard]
        gone = [server for server in of_it if server.address in away]
        if len(gone) == len(of_it):
            findings.append(
                fail(
                    "shards",
                    f"nobody answers for shard {shard}: {', '.join(each.address for each in gone)}; its users' events "
                    "cannot be written, and questions fail",
                    "bring one of them back; docs/operations.md, A shard or a replica is away",
                )
            )
        elif gone:
            findings.append(
                warn(
                    "shards",
                    f"{', '.join(map(str, gone))} does not answer; inserts of that shard wait for it",
                    "bring it back, or give it up: docs/operations.md, A shard or a replica is away",
                )
            )
    return findings or [ok("shards", f"all {len(shards)} answer, {len({each.address for each in servers})} server(s)")]


def judge_same(made: Mapping[str, Mapping[str, int]]) -> Finding:
    """`made` is, by server, a number for each table that is the same where the table was made in the same way."""
    names = sorted({name for tables in made.values() for name in tables})
    different = [name for name in names if len({tables.get(name) for tables in made.values()}) > 1]
    if not different:
        return ok("layout of tables", f"the same on {len(made)} server(s)")
    common = {name: _usual([tables.get(name) for tables in made.values()]) for name in different}
    odd = [
        server for server, tables in made.items() if any(tables.get(name) != usual for name, usual in common.items())
    ]
    told = ", ".join(different[:_MOST_NAMED]) + (", ..." if len(different) > _MOST_NAMED else "")
    return fail(
        "layout of tables",
        f"{told} {'is' if len(different) == 1 else 'are'} not the same everywhere; look at {', '.join(odd)}",
        "a migration has not reached it, or somebody changed it there: `SELECT * FROM system.distributed_ddl_queue` "
        "says what it did not do; then run `warroom migrate` again",
    )


def _usual(values: Sequence[int | None]) -> int | None:
    return max(values, key=values.count)
