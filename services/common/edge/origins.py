"""Whether a request may have been made by somebody else's page. Pure: headers in, the reason of a refusal out.

Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`), and pages cannot lie about it; who is no browser
says nothing. https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Status, title and detail of a problem document; `kind` is a label of a metric."""

    status: int
    title: str
    detail: str
    kind: str


def foreign_host(host: str | None, hosts: Collection[str] | None, address: str | None = None) -> Refusal | None:
    """A request for a name that this is not; `address` is the one that it came to, which nobody can rebind."""
    if host is None:
        # HTTP/1.0; no browser.
        return None
    found = _HOST.fullmatch(host)
    if found is None:
        return Refusal(400, "Bad request", "Host: is not a name and a port", "host")
    name = found[1].lower()
    if hosts is not None and name not in hosts and name.strip("[]") != address:
        return Refusal(
            421,
            "Misdirected request",
            "this Warroom does not answer to the name in Host; set WARROOM_EXTERNAL_URL or WARROOM_ALLOWED_HOSTS to it",
            "host",
        )
    return None


def foreign_page(
    method: str, path: str, headers: Mapping[str, str], scheme: str, origins: Collection[str]
) -> Refusal | None:
    """A change that another site's page asks for, or numbers that it would load as its own picture or script."""
    site = headers.get("sec-fetch-site", "").lower()
    if method in _SAFE:
        loads = headers.get("sec-fetch-mode", "").lower() not in ("navigate", "nested-navigate")
        if site == "cross-site" and loads and path.startswith("/api/") and headers.get("sec-fetch-dest") != "image":
            return Refusal(403, "Forbidden", "a page of another site may not load this", "cross-site")
        return None
    origin = headers.get("origin", "").lower()
    ours = not origin or origin in origins or origin == f"{scheme}://{headers.get('host', '').lower()}"
    if not ours or (not origin and site not in ("", "none", "same-origin")):
        return Refusal(403, "Forbidden", "a page of another site may change nothing here", "cross-site")
    return None
