"""The headers of every answer that tell browsers what must not be done with it.

https://www.w3.org/TR/CSP3/, https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies,
https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header, RFC 6797 (HSTS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Of the pages: nothing from elsewhere, nothing inline, no frame around them."""

DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""Of all else: it is not to be run, whatever a browser takes it for."""

_ALWAYS: Final[Sequence[tuple[bytes, bytes]]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        b"microphone=(), payment=(), usb=()",
    ),
)
_STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")

Headers = Sequence[tuple[bytes, bytes]]


def guarded(headers: Headers, *, https: bool) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those that it lacks; what it says itself stays, but never who else may read it."""
    given = {name.lower(): value for name, value in headers}
    kind = given.get(b"content-type", b"").partition(b";")[0].strip()
    wanted = [
        *_ALWAYS,
        (b"content-security-policy", (PAGE_POLICY if kind == b"text/html" else DATA_POLICY).encode()),
        # Chat programs show the curve of an alert.
        (b"cross-origin-resource-policy", b"cross-origin" if kind == b"image/png" else b"same-origin"),
        # Numbers are of the moment, and not for whoever uses the machine next.
        (b"cache-control", b"no-store"),
    ]
    if https:
        wanted.append(_STRICT_TRANSPORT)
    kept = [(name, value) for name, value in headers if not name.lower().startswith(b"access-control-")]
    return kept + [(name, value) for name, value in wanted if name not in given]
