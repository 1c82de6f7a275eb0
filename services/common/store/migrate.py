"""Applies the numbered migrations of `schemas/migrations/`, each once, in order."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from importlib import resources

from services.common.errors import ConfigurationError
from services.common.store.clustered import ClusteredStore
from services.common.store.interface import Store
from services.common.store.kind import check_kind

logger = logging.getLogger(__name__)

_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt16,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `version` from its name, its statements, and a checksum of its text."""

    version: int
    name: str
    statements: tuple[str, ...]
    checksum: str


def load_migrations() -> list[Migration]:
    """Every migration that ships with Warroom, in order. Raises `ConfigurationError` on a gap or a doubled number."""
    found = []
    for entry in resources.files("schemas").joinpath("migrations").iterdir():
        match = _NAME.match(entry.name)
        if match is None:
            continue
        text = entry.read_text(encoding="utf-8")
        found.append(
            Migration(
                int(match.group(1)),
                match.group(2),
                split_statements(text),
                hashlib.sha256(text.encode()).hexdigest(),
            )
        )
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ConfigurationError("schemas/migrations must be numbered 0001, 0002, ... without a gap or a repetition")
    return found


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a file, each ended by a semicolon at the end of a line; comment lines are dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", "\n".join(lines)) if part.strip())


def migrate(store: Store, *, accepted_shards: int | None = None) -> list[Migration]:
    """Applies what is missing and returns it; on a cluster, on all its servers. `accepted_shards` as `ClusteredStore`.

    Every statement is idempotent (`IF NOT EXISTS`), so a migration cut short by a crash is applied again from its
    start. Raises `ConfigurationError` when a migration that was applied has since been changed, and as `check_kind`.
    """
    check_kind(store)
    if isinstance(store, ClusteredStore):
        store.prepare(accepted_shards)
    store.command(_LEDGER)
    applied = {
        row["version"]: row["checksum"] for row in store.query("SELECT version, checksum FROM schema_migrations")
    }
    done = []
    for migration in load_migrations():
        if migration.version in applied:
            if applied[migration.version] != migration.checksum:
                raise ConfigurationError(
                    f"migration {migration.version:04d}_{migration.name} was changed after it had been applied; "
                    "restore it and put the change into a new migration"
                )
            continue
        for statement in migration.statements:
            store.command(statement)
        store.command(
            "INSERT INTO schema_migrations (version, name, checksum) "
            "VALUES ({version:UInt16}, {name:String}, {checksum:String})",
            {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
        )
        logger.info("migration applied", extra={"version": migration.version, "migration": migration.name})
        done.append(migration)
    return done
