"""Sessions of browsers: a signed cookie that says who signed in and until when. Nothing is kept but what signed out:
here, and in the activity log, where other processes read it (services/common/access/farewells.py).

The cookie of one who showed an API key names that key, and of one whom the provider sent the claims that the rules
speak of, so that a revoked key or a changed rule counts at the next call.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import cookie_parser

from services.common.errors import ConfigurationError, NotLetIn

COOKIE: Final = "warroom_session"
FLOW_COOKIE: Final = "warroom_sign_in"
FLOW_SECONDS: Final = 600
_SHORTEST_KEY = 32
_MOST_SIGNED_OUT = 100_000


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in: by a key (`key`, `mark`: how its hash begins), or by the provider (`issuer`, `subject`, `claims`).

    `ends` is epoch seconds.
    """

    id: str
    ends: int
    name: str = ""
    key: str = ""
    mark: str = ""
    issuer: str = ""
    subject: str = ""
    claims: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in at the provider that has begun; it has to come back to the browser that began it."""

    state: str
    nonce: str
    verifier: str
    next: str
    ends: int


class Sessions:
    """Signs and reads the cookies. `keys` are texts, the newest first: it signs, and all of them are believed."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last one.
        ordered = list(reversed(keys))
        given: dict[str, Any] = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._sessions = URLSafeSerializer(ordered, salt="warroom.session", signer_kwargs=given)
        self._flows = URLSafeSerializer(ordered, salt="warroom.sign-in", signer_kwargs=given)
        self._signed_out: dict[str, int] = {}

    def write(self, session: Session) -> str:
        """The cookie's value."""
        fields = {name: value for name in Session.__slots__ if (value := getattr(session, name))}
        text = self._sessions.dumps(fields)
        return text if isinstance(text, str) else text.decode()

    def read(self, text: str, now_ms: int) -> Session:
        """Raises `NotLetIn` for one that was not signed here, has ended, or was ended by its owner."""
        try:
            session = Session(**self._sessions.loads(text))
        except (BadData, TypeError, ValueError):
            raise NotLetIn("the session was not signed by this Warroom") from None
        if now_ms >= session.ends * 1000:
            raise NotLetIn("the session has ended")
        if session.id in self._signed_out:
            raise NotLetIn("the session was signed out of")
        return session

    def end(self, session: str, ends: int, now_ms: int) -> None:
        """A session of that id is not believed any more, by this process; `ends` (epoch seconds) is when it would end
        by itself."""
        if len(self._signed_out) >= _MOST_SIGNED_OUT:
            self._signed_out = {name: other for name, other in self._signed_out.items() if other * 1000 > now_ms}
        if len(self._signed_out) < _MOST_SIGNED_OUT:
            self._signed_out[session] = ends

    def write_flow(self, flow: Flow) -> str:
        """The cookie's value."""
        text = self._flows.dumps({name: getattr(flow, name) for name in Flow.__slots__})
        return text if isinstance(text, str) else text.decode()

    def read_flow(self, text: str, now_ms: int) -> Flow:
        """Raises `NotLetIn`."""
        try:
            flow = Flow(**self._flows.loads(text))
        except (BadData, TypeError, ValueError):
            raise NotLetIn("the sign-in was not begun in this browser") from None
        if now_ms >= flow.ends * 1000:
            raise NotLetIn("the sign-in took too long")
        return flow


def session_keys(path: Path | None) -> list[str]:
    """The keys of a file, or one made up. Raises `ConfigurationError`."""
    if path is None:
        return [secrets.token_urlsafe(32)]
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"WARROOM_SESSION_KEY_FILE {path} cannot be read: {error}") from error
    keys = [line for line in lines if line]
    if not keys or min(map(len, keys)) < _SHORTEST_KEY:
        raise ConfigurationError(
            f"WARROOM_SESSION_KEY_FILE {path} needs keys of {_SHORTEST_KEY} characters or more, one a line; "
            "`openssl rand -base64 32` makes one"
        )
    return keys


def cookie_of(header: str | None, name: str) -> str | None:
    """One cookie of a `Cookie` header."""
    if not header or len(header) > 16 << 10:
        return None
    return cookie_parser(header).get(name)


def set_cookie(name: str, value: str, *, seconds: int, path: str, secure: bool) -> str:
    """A `Set-Cookie` header; 0 seconds take the cookie away. Scripts do not see it. `Lax`: a link in a chat opens the
    page signed in, and nothing else from elsewhere brings it along."""
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
