"""Whether ClickHouse answers, and which one it is."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.errors import StoreError
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

TRIED = "26.9"
"""What the tests run on."""


async def store(patient: Patient) -> Sequence[Finding]:
    """Asks for its version."""
    if patient.store is None:
        url = patient.settings.clickhouse_url
        if url is None:
            return [skipped("store", "WARROOM_CLICKHOUSE_URL is not set")]
        return [skipped("store", "it is embedded and belongs to the process that runs it; ask that one with --url")]
    try:
        rows = await patient.store.query("SELECT version() AS version, currentDatabase() AS database")
    except StoreError as error:
        return [fail("store", f"ClickHouse does not answer: {error}", _remedy(str(error)))]
    return [judge_version(str(rows[0]["version"]), str(rows[0]["database"]))]


def judge_version(version: str, database: str) -> Finding:
    """A server older than what Warroom was tried on may lack what the statements use."""
    number = tuple(int(part) for part in version.split(".")[:2])
    if number < tuple(int(part) for part in TRIED.split(".")):
        return warn(
            "store", f"ClickHouse {version} is older than the {TRIED} that Warroom is tested with", "upgrade ClickHouse"
        )
    return ok("store", f"ClickHouse {version}, database {database}")


def _remedy(text: str) -> str:
    words = {
        "certificate": "WARROOM_CLICKHOUSE_CA_FILE must hold the authority that signed its certificate, and "
        "WARROOM_CLICKHOUSE_URL a name that stands in it",
        "Authentication failed": "look at user and password in WARROOM_CLICKHOUSE_URL",
        "UNKNOWN_DATABASE": "create the database, or name another in WARROOM_CLICKHOUSE_URL",
        "Connection refused": "start ClickHouse, or name another address in WARROOM_CLICKHOUSE_URL",
    }
    return next((remedy for word, remedy in words.items() if word in text), "docs/operations.md, The store is down")
