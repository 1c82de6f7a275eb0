"""Whether the tables are those that this version of Warroom wants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from services.common.store.migrate import Migration, load_migrations
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

_CREATED = re.compile(r"^CREATE (?:MATERIALIZED )?(?:TABLE|VIEW) IF NOT EXISTS (\w+)")
_DROPPED = re.compile(r"^DROP (?:TABLE|VIEW) IF EXISTS (\w+)")
_WINDOW = re.compile(r"(?<!\w)(?:non_)?replicated_deduplication_window = (\d+)")
_MIGRATE = "run `warroom migrate`"


async def schema(patient: Patient) -> Sequence[Finding]:
    """Migrations, tables and their memory of tokens."""
    if patient.store is None:
        return [skipped("schema", "there is no ClickHouse server to ask")]
    rows = await patient.store.query(
        """
        SELECT name, engine_full, database, database != currentDatabase() AS on_shard
        FROM system.tables
        WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard'))
        """
    )
    engines = {str(row["name"]): str(row["engine_full"]) for row in rows if not row["on_shard"]}
    # In a cluster the tables that hold rows are beside those that are asked.
    behind = {str(row["name"]): str(row["engine_full"]) for row in rows if row["on_shard"]}
    applied: dict[int, str] = {}
    if "schema_migrations" in engines:
        found = await patient.store.query("SELECT version, checksum FROM schema_migrations")
        applied = {int(row["version"]): str(row["checksum"]) for row in found}
    migrations = load_migrations()
    findings = judge_migrations(migrations, applied)
    if not applied:
        return findings
    done = [migration for migration in migrations if migration.version in applied]
    cluster = patient.settings.clickhouse_cluster
    shards = next((str(row["database"]) for row in rows if row["on_shard"]), None)
    place = "%s" if cluster is None or shards is None else f"{shards}.%s ON CLUSTER '{cluster}'"
    return [*findings, *judge_tables(expected_windows(done), engines, behind, place=place)]


def judge_migrations(migrations: Sequence[Migration], applied: Mapping[int, str]) -> list[Finding]:
    """`applied` is what the store says: checksum by version."""
    findings = []
    missing = [f"{each.version:04d}" for each in migrations if each.version not in applied]
    changed = [each for each in migrations if applied.get(each.version, each.checksum) != each.checksum]
    newer = sorted(applied.keys() - {each.version for each in migrations})
    if not applied:
        findings.append(fail("migrations", "none was ever applied to this database", _MIGRATE))
    elif missing:
        findings.append(fail("migrations", f"{', '.join(missing)} not applied", _MIGRATE))
    findings.extend(
        fail(
            "migrations",
            f"{each.version:04d}_{each.name} is not what was applied",
            "install the version of Warroom that applied it, or a later one",
        )
        for each in changed
    )
    if newer:
        findings.append(
            warn(
                "migrations",
                f"the store has {', '.join(f'{each:04d}' for each in newer)}, which this Warroom does not know",
                "a newer Warroom migrated it; docs/operations.md, A bad deployment",
            )
        )
    return findings or [ok("migrations", f"all {len(migrations)} are applied")]


def expected_windows(migrations: Sequence[Migration]) -> dict[str, int]:
    """Tables and views that exist after the migrations, with the least number of tokens that each remembers."""
    tables: dict[str, int] = {}
    for migration in migrations:
        for statement in migration.statements:
            if created := _CREATED.match(statement):
                tables[created[1]] = _window(statement)
            elif dropped := _DROPPED.match(statement):
                tables.pop(dropped[1], None)
    return tables


def judge_tables(
    expected: Mapping[str, int],
    engines: Mapping[str, str],
    behind: Mapping[str, str] | None = None,
    *,
    place: str = "%s",
) -> list[Finding]:
    """`engines` is how each table was made, and `behind` those that hold a cluster's rows on this server.

    `place` makes of a table's name what stands behind ALTER TABLE.
    """
    behind = behind or {}
    spread = {name for name, engine in engines.items() if engine.startswith("Distributed") and behind}
    gone = sorted((expected.keys() - engines.keys() - behind.keys()) | (expected.keys() & spread) - behind.keys())
    engines = {**engines, **behind}
    short = sorted(name for name, least in expected.items() if name in engines and _window(engines[name]) < least)
    findings = []
    if gone:
        findings.append(
            fail(
                "tables",
                f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone, though the migration was applied",
                "restore them from a backup: docs/operations.md, Restore from a backup",
            )
        )
    findings.extend(
        fail(
            "tables",
            f"{name} remembers {_window(engines[name])} blocks, fewer than {expected[name]}: one that is written "
            "again after a crash would count twice",
            f"ALTER TABLE {place % name} MODIFY SETTING {_setting(engines[name])} = {expected[name]}",
        )
        for name in short
    )
    return findings or [ok("tables", f"all {len(expected)} are there, and remember their blocks")]


def _window(text: str) -> int:
    found = _WINDOW.search(text)
    # A replicated table remembers 1,000 blocks and more unless it is told otherwise.
    return int(found[1]) if found else 1_000_000 if _is_replicated(text) else 0


def _is_replicated(engine: str) -> bool:
    return engine.startswith(("Replicated", "Distributed", "Shared"))


def _setting(engine: str) -> str:
    return "replicated_deduplication_window" if _is_replicated(engine) else "non_replicated_deduplication_window"
