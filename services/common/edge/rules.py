"""How much of what is let in, and from where."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.common.settings import Settings
from services.common.transport import is_loopback

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_FILES_FOR_OTHERS = 512
"""Descriptors that connections must leave: the store, Kafka, files."""


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """Limits of one HTTP port. `hosts` are the names it answers to; None answers to any.

    Rates are per minute and 0 is none. `connections_per_client` does not count for `trusted_proxies`, whose word for
    where a request comes from is taken.
    """

    hosts: frozenset[str] | None = None
    origins: frozenset[str] = frozenset()
    trusted_proxies: str = "127.0.0.1,::1"
    body_bytes: int = 1 << 20
    body_seconds: float = 30.0
    head_seconds: float = 10.0
    answer_seconds: float = 60.0
    requests_at_once: int = 5_000
    requests_per_minute: int = 300_000
    client_requests_per_minute: int = 60_000
    client_changes_per_minute: int = 6_000
    connections: int = 10_000
    connections_per_client: int = 6_000


def rules_of(settings: Settings) -> EdgeRules:
    """The rules that the settings say.

    A port on loopback asks nobody who they are, and a page on the Internet can make a browser on this machine ask it
    under a name of that page's choosing (DNS rebinding): it answers to its own names alone.
    """
    there = urlsplit(settings.external_url)
    named = {name.lower() for name in settings.allowed_hosts}
    if named or is_loopback(settings.http_host):
        inside = urlsplit(settings.alerts_url or "")
        hosts = frozenset(
            {*LOOPBACK_NAMES, settings.http_host, *named, _name(there.hostname), _name(inside.hostname)} - {""}
        )
    else:
        hosts = None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = settings.http_connections if limit == resource.RLIM_INFINITY else max(64, limit - _FILES_FOR_OTHERS)
    return EdgeRules(
        hosts=hosts,
        origins=frozenset({f"{there.scheme}://{there.netloc}".lower()}),
        trusted_proxies=",".join(settings.trusted_proxies),
        body_bytes=settings.http_body_bytes,
        answer_seconds=settings.http_answer_seconds,
        requests_per_minute=settings.http_requests_per_minute,
        client_requests_per_minute=settings.http_client_requests_per_minute,
        client_changes_per_minute=settings.http_client_changes_per_minute,
        connections=min(settings.http_connections, files),
        connections_per_client=settings.http_client_connections,
    )


def _name(hostname: str | None) -> str:
    if not hostname:
        return ""
    return f"[{hostname}]" if ":" in hostname else hostname.lower()
