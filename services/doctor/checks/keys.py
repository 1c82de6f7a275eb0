"""Who is let in over HTTP: the file of API keys, and what signs sessions."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.access.keys import KeyEntry, read_keys
from services.common.access.session import session_keys
from services.common.clock import to_ms
from services.common.errors import UnreadableFile
from services.common.settings import Settings
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

SOON_DAYS = 14
_DAY_MS = 86_400_000


async def keys(patient: Patient) -> Sequence[Finding]:
    """Reads both files as a service does."""
    settings = patient.settings
    if not settings.locked:
        return [skipped("keys", "nobody has to say who they are, so HTTP listens on this machine alone")]
    # Raises what keeps a service from starting.
    session_keys(settings.session_key_file)
    findings = [judge_sessions(settings)]
    if settings.api_keys_file is not None:
        try:
            entries = read_keys(settings.api_keys_file).keys
        except UnreadableFile as error:
            sentence = f"WARROOM_API_KEYS_FILE {settings.api_keys_file} {error}"
            return [*findings, fail("keys", sentence, "`warroom keys add` makes one; docs/access.md")]
        findings += judge_keys(entries, patient.clock(), provider=settings.oidc_issuer is not None)
    return findings


def judge_sessions(settings: Settings) -> Finding:
    """A session holds where the key that signed it is known."""
    if settings.session_key_file is not None:
        return ok("keys", "sessions are signed by a key of a file")
    return warn(
        "keys",
        "each process makes up the key of its sessions: people sign in again after a restart, and behind several "
        "metrics services again and again",
        "set WARROOM_SESSION_KEY_FILE: docs/access.md",
    )


def judge_keys(entries: Sequence[KeyEntry], now: int, *, provider: bool) -> list[Finding]:
    """`now` is epoch milliseconds; with a `provider` people need no keys."""
    valid = [entry for entry in entries if not entry.over(now)]
    over = [entry.name for entry in entries if entry.over(now)]
    soon = [
        entry.name for entry in valid if entry.expires is not None and to_ms(entry.expires) - now < SOON_DAYS * _DAY_MS
    ]
    findings = []
    if not valid and not provider:
        findings.append(fail("keys", "no API key is valid: nobody is let in", "warroom keys add NAME --role admin"))
    elif not provider and not any(entry.role == "admin" for entry in valid):
        findings.append(
            warn(
                "keys",
                "no valid key is an admin's: nobody can declare a campaign",
                "warroom keys add NAME --role admin",
            )
        )
    if soon:
        findings.append(
            warn(
                "keys", f"{', '.join(soon)} ends within {SOON_DAYS} days", "add a key under a new name and hand it over"
            )
        )
    if over:
        findings.append(warn("keys", f"{', '.join(over)} has ended", "warroom keys revoke takes it out of the file"))
    return findings or [ok("keys", f"{len(valid)} API key(s) are valid")]
