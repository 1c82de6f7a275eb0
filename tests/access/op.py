"""A real OpenID provider on a port of this machine: discovery, keys that rotate, codes with PKCE, tokens."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET = "warroom", "s3cret+/="


class Op:
    """`claims` are those of whoever signs in next."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "lin", "groups": ["warroom-ops"]}
        self.nonce: str | None = None
        self.down = False
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.keys: list[Any] = []
        self.rotate()

    def rotate(self, *, elliptic: bool = False) -> None:
        """Signs with a new key from now on; the ones before are gone."""
        kid: Any = {"kid": secrets.token_hex(4), "use": "sig"}
        self.keys = [ECKey.generate_key("P-256", kid) if elliptic else RSAKey.generate_key(2048, kid)]

    @property
    def alg(self) -> str:
        return "ES256" if isinstance(self.keys[0], ECKey) else "RS256"

    def token(self, now_s: int, audience: Any, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An access or ID token; None takes a claim away."""
        claims = {"iss": self.issuer, "aud": audience, "iat": now_s, "exp": now_s + 300, **self.claims, **changes}
        told = {"alg": self.alg, "kid": self.keys[0].kid, **(header or {})}
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None},
            {name: value for name, value in claims.items() if value is not None},
            self.keys[0],
            algorithms=[self.alg],
        )

    def answer(self, method: str, path: str, body: bytes, headers: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        self.asked.append(parts.path)
        if self.down:
            return 503, {}, b""
        if parts.path == "/.well-known/openid-configuration":
            return _json({
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            })  # fmt: skip
        if parts.path == "/keys":
            return _json(KeySet(self.keys).as_dict(private=False))
        if parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            code = secrets.token_urlsafe(8)
            self.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            return 302, {"Location": f"{asked['redirect_uri']}?{back}"}, b""
        if parts.path == "/token" and method == "POST":
            return self._exchange({name: values[0] for name, values in parse_qs(body.decode()).items()}, headers)
        return 404, {}, b""

    def _exchange(self, form: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        basic = b64decode(headers["Authorization"].split()[1]).decode()
        user, password = (parse_qs(f"x={part}")["x"][0] for part in basic.split(":"))
        if (
            asked is None
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
            or (user, password) != (CLIENT, SECRET)
        ):
            return _json({"error": "invalid_grant"}, 400)
        import time

        token = self.token(int(time.time()), CLIENT, nonce=self.nonce or asked["nonce"])
        return _json({"access_token": "opaque", "token_type": "Bearer", "id_token": token})


def _json(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def running_op() -> Iterator[Op]:
    """The provider, for as long as the block runs."""
    held: list[Op] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, headers, body = held[0].answer(self.command, self.path, self.rfile.read(length), self.headers)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.append(Op(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield held[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
