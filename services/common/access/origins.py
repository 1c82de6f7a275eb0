"""Whether a change that a cookie speaks for was made by one of our own pages: browsers send cookies unasked.

Stricter than the edge, which refuses what shows that it comes from elsewhere: this has to show that it is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_HEADER: Final = "x-warroom"
"""A page elsewhere cannot set it: that would take our consent, which is never given (CORS)."""


def foreign_write(method: str, headers: Mapping[str, str], own: str) -> bool:
    """Whether a call that changes something has to be taken for one that another site's page had a browser make.

    `own` is the address that people reach us by.
    """
    if method in SAFE:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return not _same(origin, headers.get("host", ""), own)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return OWN_HEADER not in headers


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
