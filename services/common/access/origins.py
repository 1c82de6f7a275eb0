"""Whether a request comes from one of our own pages: browsers send what they are told to, by any page."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_HEADER: Final = "x-warroom"
"""A page elsewhere cannot set it: that would take our consent, which is never given (CORS)."""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on, or the host that a request names, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(netloc: str) -> str:
    """The host of `host:port`, in lower case; empty for what is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def foreign_write(method: str, headers: Mapping[str, str], own: str, *, browser: bool) -> bool:
    """Whether a call that changes something has to be taken for one that another site's page had a browser make.

    `own` is the address that people reach us by. `browser`: a cookie is what speaks for it, so that it has to show that
    it is ours; else it is enough that it does not show otherwise.
    """
    if method in SAFE:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return not _same(origin, headers.get("host", ""), own)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return browser and OWN_HEADER not in headers


def _same(origin: str, host: str, own: str) -> bool:
    try:
        asked, ours = urlsplit(origin), urlsplit(own)
    except ValueError:
        return False
    if asked.scheme not in ("http", "https") or not asked.netloc:
        return False
    by_host = asked.netloc.lower() == host.lower()
    by_setting = (asked.scheme, asked.netloc.lower()) == (ours.scheme, ours.netloc.lower())
    return by_host or by_setting


def misdirected(headers: Mapping[str, str], own: str) -> bool:
    """Whether a request to an open loopback names another host: a name that a site has pointed at this machine, to have
    its own page read what it may not (DNS rebinding)."""
    host = headers.get("host")
    if host is None:
        return False
    name = host_of(host)
    return not (is_loopback(name) or name == host_of(urlsplit(own).netloc))
