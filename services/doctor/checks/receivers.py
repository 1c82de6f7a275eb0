"""Who is told of alerts: whether the file is right, they can be reached, and, with `--send`, they listen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from services.common.errors import ConfigurationError
from services.doctor.finding import Finding, fail, ok, warn
from services.doctor.patient import Patient, Told

_CONNECT_SECONDS = 5.0
_CHECK = "warroom receivers check FILE"


async def receivers(patient: Patient) -> Sequence[Finding]:
    """Each receiver."""
    try:
        found = patient.receivers.load(patient.settings)
    except ConfigurationError as error:
        return [fail("receivers", str(error), f"`{_CHECK}` says what is right")]
    if not found:
        return [
            warn(
                "receivers",
                "nobody is told of alerts",
                "set WARROOM_RECEIVERS_FILE or WARROOM_ALERT_WEBHOOK_URL: docs/receivers.md",
            )
        ]
    return await asyncio.gather(*(_examined(patient, receiver) for receiver in found))


async def _examined(patient: Patient, receiver: Told) -> Finding:
    if patient.send:
        return judge_told(receiver.name, await patient.receivers.tell(receiver))
    return judge_reached(receiver.name, await asyncio.gather(*(_trouble(url) for url in receiver.addresses)))


def judge_told(name: str, trouble: str | None) -> Finding:
    """By what became of the test alert."""
    if trouble is None:
        return ok("receivers", f"{name} has taken a test alert")
    return fail(
        "receivers", f"{name} did not take a test alert: {trouble}", "docs/receivers.md says what each answer means"
    )


def judge_reached(name: str, troubles: Sequence[str | None]) -> Finding:
    """By what kept us from each of its addresses; one of a cluster is enough, for a while."""
    bad = [trouble for trouble in troubles if trouble is not None]
    if not bad:
        return ok("receivers", f"{name} can be reached; --send proves that it listens")
    make = fail if len(bad) == len(troubles) else warn
    return make("receivers", f"{name} cannot be reached: {bad[0]}", "look at its address, DNS, proxy and firewall")


async def _trouble(url: str) -> str | None:
    """Connects and says nothing. Names the host alone: the rest of an address may be a secret."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            port = parts.port or (443 if parts.scheme == "https" else 80)
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=parts.scheme == "https" or None)
    except (OSError, TimeoutError) as error:
        return f"{parts.hostname}: {error.strerror or error if isinstance(error, OSError) else 'no answer'}"
    writer.close()
    return None
