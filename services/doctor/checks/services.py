"""The services, by HTTP: whether they are ready, and whether they let in whom they should."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from services.common.transport import is_loopback
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

_PROTECTED = "/api/v1/campaigns"


async def services(patient: Patient) -> Sequence[Finding]:
    """Each address of `--url`."""
    if not patient.urls:
        return [skipped("services", "no --url was given")]
    async with httpx.AsyncClient(timeout=patient.seconds, follow_redirects=False) as client:
        found = await asyncio.gather(*(_service(client, url.rstrip("/"), patient.api_key) for url in patient.urls))
    return [finding for findings in found for finding in findings]


async def _service(client: httpx.AsyncClient, url: str, key: str | None) -> list[Finding]:
    try:
        shown = {"Authorization": f"Bearer {key}"} if key else {}
        # The reasons may be for those alone who say who they are.
        ready = await client.get(f"{url}/readyz", headers=shown)
        stranger = await client.get(url + _PROTECTED)
        known = await client.get(url + _PROTECTED, headers=shown) if key else None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return [fail("services", f"{url} does not answer: {error}", "is the process there? Its last log line says why")]
    findings = [judge_ready(url, ready.status_code, _detail(ready))]
    access = judge_access(url, stranger.status_code, None if known is None else known.status_code)
    return findings + ([access] if access is not None else [])


def judge_ready(url: str, status: int, detail: str) -> Finding:
    """By the answer of `/readyz`."""
    if status == httpx.codes.OK:
        return ok("services", f"{url} is ready")
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return fail(
            "services",
            f"{url} is not ready: {detail or 'it tells nobody why without a key'}",
            "mend that; it becomes ready by itself",
        )
    return fail("services", f"{url} answers /readyz with {status}", "is that the address of a Warroom?")


def judge_access(url: str, stranger: int, known: int | None) -> Finding | None:
    """By how the API answers somebody without a key, and with one; None where it serves no API."""
    if stranger == httpx.codes.NOT_FOUND:
        return None
    if known in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return fail("access", f"{url} does not take the API key", "is it revoked, or of another Warroom?")
    if stranger == httpx.codes.OK and not is_loopback(urlsplit(url).hostname or ""):
        return warn(
            "access",
            f"{url} shows its numbers to everybody who reaches it",
            "ask for a login: docs/operations.md and SECURITY.md",
        )
    if stranger == httpx.codes.OK:
        return ok("access", f"{url} serves this machine without a login")
    if stranger in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ok("access", f"{url} asks who one is" + (" and takes the key" if known == httpx.codes.OK else ""))
    return warn("access", f"{url}{_PROTECTED} answers {stranger}", "/readyz and the log say why")


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("detail", "")) if isinstance(body, dict) else ""
