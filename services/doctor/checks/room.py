"""Room and order in ClickHouse: disks, parts, merges that fail, replicas that lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.common.errors import StoreRejected
from services.common.store import StorePool
from services.common.store.interface import Parameters
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

DISK_WARN, DISK_FAIL = 0.10, 0.03
PARTS_WARN = 300
_DELAY_WARN_SECONDS = 60
_QUEUE_WARN = 100

# In a cluster all servers are asked; who does not answer is told by the check of the cluster.
_DISKS = """
SELECT
    if({many:Bool}, concat(name, ' of ', hostName()), name) AS disk,
    toFloat64(free_space) AS free,
    toFloat64(total_space) AS size
FROM system.disks
SETTINGS skip_unavailable_shards = 1
"""
_PARTS = """
SELECT table, max(parts) AS parts
FROM
(
    SELECT table, count() AS parts
    FROM system.parts
    WHERE active AND database = currentDatabase()
    GROUP BY table, partition_id
)
GROUP BY table
SETTINGS skip_unavailable_shards = 1
"""
_LIMIT = "SELECT toUInt64(value) AS parts FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert'"
_MUTATIONS = """
SELECT table, latest_fail_reason AS reason
FROM system.mutations
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard')) AND NOT is_done AND latest_fail_reason != ''
SETTINGS skip_unavailable_shards = 1
"""
_REPLICAS = """
SELECT
    if({many:Bool}, concat(table, ' of ', hostName()), table) AS name,
    is_readonly,
    absolute_delay,
    queue_size
FROM system.replicas
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard'))
SETTINGS skip_unavailable_shards = 1
"""


@dataclass(frozen=True, slots=True)
class Replica:
    """What a replicated table says of itself on one server."""

    table: str
    readonly: bool
    delay_seconds: int
    queue: int


async def room(patient: Patient) -> Sequence[Finding]:
    """Asks the system tables; those that our user may not read are skipped."""
    if patient.store is None:
        return [skipped("room", "there is no ClickHouse server to ask")]
    pool = patient.store
    many = {"many": patient.settings.clickhouse_cluster is not None}
    disks = await _rows(pool, _DISKS, many)
    parts, limit = await _rows(pool, _PARTS), await _rows(pool, _LIMIT)
    mutations, replicas = await _rows(pool, _MUTATIONS), await _rows(pool, _REPLICAS, many)
    findings = []
    if disks is None or parts is None or limit is None or mutations is None or replicas is None:
        findings.append(skipped("room", "our user may not read all of system.disks, parts, mutations and replicas"))
    # Object storage tells no size.
    sized = [row for row in disks or () if 0 < row["size"] < 2**60]
    findings += [judge_disk(row["disk"], row["free"], row["size"]) for row in sized]
    if parts is not None and limit:
        findings.append(judge_parts({row["table"]: row["parts"] for row in parts}, int(limit[0]["parts"])))
    findings += [judge_mutation(row["table"], row["reason"]) for row in mutations or ()]
    if replicas is not None:
        findings += judge_replicas(
            [
                Replica(row["name"], bool(row["is_readonly"]), int(row["absolute_delay"]), int(row["queue_size"]))
                for row in replicas
            ]
        )
    return findings


def judge_disk(name: str, free: float, size: float) -> Finding:
    """In bytes."""
    sentence = f"{free / size:.0%} of the disk {name} is free, {free / 2**30:.1f} GiB"
    remedy = "add space, or drop the oldest days: docs/operations.md, The disk is full"
    if free < DISK_FAIL * size:
        return fail("disk", sentence, remedy)
    return warn("disk", sentence, remedy) if free < DISK_WARN * size else ok("disk", sentence)


def judge_parts(parts: Mapping[str, int], limit: int) -> Finding:
    """Most parts of a partition, by table; at `limit` ClickHouse refuses inserts."""
    table, most = max(parts.items(), key=lambda each: each[1], default=("", 0))
    if most < PARTS_WARN:
        return ok("parts", f"at most {most} in a partition")
    make = fail if most >= limit else warn
    return make(
        "parts",
        f"{table} has {most} in one partition; at {limit} ClickHouse refuses inserts",
        "raise WARROOM_BATCH_MAX_AGE_MS and look at what keeps merges back; docs/runbooks.md, WarroomTooManyParts",
    )


def judge_mutation(table: str, reason: str) -> Finding:
    """A change of a table that does not get on."""
    return warn("mutations", f"one of {table} fails: {reason[:200]}", "mend that, or KILL MUTATION; merges wait for it")


def judge_replicas(replicas: Sequence[Replica]) -> list[Finding]:
    """Every replicated table."""
    if not replicas:
        return [skipped("replicas", "no table is replicated")]
    findings = []
    readonly = [each.table for each in replicas if each.readonly]
    if readonly:
        findings.append(
            fail("replicas", f"{', '.join(readonly)} read-only: the server has lost Keeper", "bring Keeper back")
        )
    late = max(replicas, key=lambda each: (each.delay_seconds, each.queue))
    if late.delay_seconds > _DELAY_WARN_SECONDS or late.queue > _QUEUE_WARN:
        findings.append(
            warn(
                "replicas",
                f"{late.table} is {late.delay_seconds} s behind, {late.queue} entries in its queue",
                "SELECT * FROM system.replication_queue says what keeps it: network, disk, a part that is gone",
            )
        )
    return findings or [ok("replicas", f"{len(replicas)} tables are in step")]


async def _rows(pool: StorePool, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]] | None:
    try:
        return await pool.query(sql, parameters)
    except StoreRejected:
        return None
