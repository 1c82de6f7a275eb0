"""Gives tables the retention and the storage that the settings say, where they have another."""

from __future__ import annotations

import logging
import re

from services.common.retention import BY_DAY, RETAINED, in_force
from services.common.settings import Settings
from services.common.store.interface import Store

logger = logging.getLogger(__name__)

_TABLES = """
SELECT DISTINCT name, engine_full
FROM system.tables
WHERE database IN (currentDatabase(), concat(currentDatabase(), '_shard')) AND engine LIKE '%MergeTree'
"""
_TTL = re.compile(r" TTL (.*?)(?: SETTINGS .*)?$", re.DOTALL)
_POLICY = re.compile(r"\bstorage_policy = '([^']*)'")


def wanted_ttl(table: str, days: int | None, cold_days: int | None) -> str:
    """The TTL expression of a table; empty for none."""
    day = RETAINED[table]
    rules = []
    if cold_days is not None and table in BY_DAY and (days is None or cold_days < days):
        rules.append(f"{day} + toIntervalDay({cold_days}) TO VOLUME 'cold'")
    if days is not None:
        rules.append(f"{day} + toIntervalDay({days})")
    return ", ".join(rules)


def apply_lifetimes(store: Store, settings: Settings) -> list[str]:
    """Changes the tables whose retention or storage is another than the settings say, and returns their names.

    Rows that are too old go with the merges that follow, mostly within hours. Raises `StoreError`.
    """
    days = in_force(settings.retention_days)
    found = {row["name"]: row["engine_full"] for row in store.query(_TABLES)}
    changed = []
    for table in sorted(RETAINED.keys() & found.keys()):
        engine = found[table]
        wanted = wanted_ttl(table, days.get(table), settings.cold_after_days)
        policy = settings.storage_policy
        now = _TTL.search(engine)
        has = now[1].strip() if now else ""
        used = _POLICY.search(engine)
        statements = []
        if policy is not None and (used[1] if used else "default") != policy:
            statements.append(f"ALTER TABLE {table} MODIFY SETTING storage_policy = '{policy}'")
        if wanted and wanted != has:
            if table in BY_DAY:
                statements.append(f"ALTER TABLE {table} MODIFY SETTING ttl_only_drop_parts = 1")
            statements.append(f"ALTER TABLE {table} MODIFY TTL {wanted}")
        elif has and not wanted:
            statements.append(f"ALTER TABLE {table} REMOVE TTL")
        for statement in statements:
            store.command(statement)
        if statements:
            logger.info("lifetime of a table changed", extra={"table": table, "ttl": wanted or "none"})
            changed.append(table)
    return changed
