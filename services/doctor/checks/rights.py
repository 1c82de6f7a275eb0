"""What ClickHouse lets our user do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.common.errors import StoreRejected
from services.doctor.finding import Finding, fail, ok, skipped
from services.doctor.patient import Patient

NEEDED = {
    "SELECT": "nothing can be read",
    "INSERT": "nothing can be written",
    "CREATE": "migrations cannot be applied, and ingest cannot mend an insert that was cut short",
    "ALTER": "migrations cannot be applied, and ingest cannot mend an insert that was cut short",
    "DROP": "ingest leaves tables behind after it has mended an insert",
}
"""Rights on the database, and what fails without."""

_GRANT = re.compile(r"^(GRANT|REVOKE) (.+) ON (\S+) (?:TO|FROM) ")


async def rights(patient: Patient) -> Sequence[Finding]:
    """Asks what was granted, and whether the profile is read-only."""
    if patient.store is None:
        return [skipped("rights", "there is no ClickHouse server to ask")]
    rows = await patient.store.query(
        "SELECT currentDatabase() AS database, currentUser() AS user, getSetting('readonly') AS readonly"
    )
    database, user, readonly = str(rows[0]["database"]), str(rows[0]["user"]), int(rows[0]["readonly"])
    try:
        grants = [str(next(iter(row.values()))) for row in await patient.store.query("SHOW GRANTS")]
    except StoreRejected:
        return [skipped("rights", f"{user} may not see what it was granted")]
    # In a cluster the tables that hold rows are in a database beside it.
    databases = [database] if patient.settings.clickhouse_cluster is None else [database, f"{database}_shard"]
    return [finding for each in databases for finding in judge_rights(user, each, grants, readonly=bool(readonly))]


def judge_rights(user: str, database: str, grants: Sequence[str], *, readonly: bool) -> list[Finding]:
    """`grants` are the lines of `SHOW GRANTS`."""
    if readonly:
        return [
            fail(
                "rights",
                f"{user} is read-only by its profile: {NEEDED['INSERT']}",
                "give the services a user with a profile in which readonly is 0; read-only users are for people",
            )
        ]
    held: set[str] = set()
    for line in grants:
        found = _GRANT.match(line)
        if found is None or found[3].replace("`", "") not in ("*.*", "*", f"{database}.*"):
            continue
        named = {name.strip().upper() for name in found[2].split(",")}
        if "ALL" in named or "ALL PRIVILEGES" in named:
            named = set(NEEDED)
        # To create and drop tables is enough; so is `ALTER TABLE`.
        named |= {name.removesuffix(" TABLE") for name in named if name.endswith(" TABLE")}
        held = held | named if found[1] == "GRANT" else held - named
    missing = [right for right in NEEDED if right not in held]
    if missing and any(_GRANT.match(line) is None for line in grants):
        return [skipped("rights", f"{user} has them by roles, which the doctor does not follow")]
    return [
        fail(
            "rights",
            f"{user} has no {right} on {database}: {NEEDED[right]}",
            f"GRANT {right} ON {database}.* TO {user}",
        )
        for right in missing
    ] or [ok("rights", f"{user} may do on {database} what Warroom needs")]
