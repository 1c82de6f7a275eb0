"""An OpenID provider: its keys, and tokens held against them.

Only signatures by a key of the provider count (`ALGORITHMS`: no `none`, and no shared secret, which a public key could
be passed off as). Its documents are remembered; while it is away what is known stays good for `STALE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.common.errors import NotLetIn, ProviderUnavailable

logger = logging.getLogger(__name__)

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
FRESH_SECONDS: Final = 600.0
STALE_SECONDS: Final = 3600.0
SKEW_SECONDS: Final = 60
"""What clocks may differ by."""

ASK_AGAIN_SECONDS: Final = 10.0
"""A token that names an unknown key has the keys asked for again, at most so often."""

_LONGEST_TOKEN = 16 << 10
_MOST_BYTES = 1 << 20
_MOST_KEYS = 100
_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked what."""

    issuer: str
    authorization: str
    token: str
    jwks: str


@dataclass(frozen=True, slots=True)
class _Known:
    endpoints: Endpoints
    keys: KeySet
    at: float


class Provider:
    """Asks one provider. `elapsed` is a clock in seconds for how old things are; moments of tokens are passed in."""

    def __init__(self, issuer: str, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._elapsed = elapsed
        self._known: _Known | None = None
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._failures = 0
        self._not_before = 0.0

    async def endpoints(self) -> Endpoints:
        """Raises `ProviderUnavailable`."""
        return (await self._current()).endpoints

    async def verify(self, token: str, audience: str, now_ms: int, *, nonce: str | None = None) -> dict[str, Any]:
        """The claims of a token that the provider signed for the audience, and that holds at `now_ms` (epoch ms).

        Raises `NotLetIn`, and `ProviderUnavailable`.
        """
        header = _header(token)
        key = await self._key(header.get("kid"))
        try:
            claims: dict[str, Any] = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
            jwt.JWTClaimsRegistry(
                now=now_ms // 1000,
                leeway=SKEW_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotLetIn(f"the token does not hold: {type(error).__name__}: {error}") from None
        audiences = claims["aud"]
        if nonce is not None:
            if claims.get("nonce") != nonce:
                raise NotLetIn("the token was made for another sign-in")
            # OpenID Connect Core 3.1.3.7: one for several has to say for whom it was made.
            if isinstance(audiences, list) and len(audiences) > 1 and claims.get("azp") != audience:
                raise NotLetIn("the token was made for another client")
        return claims

    async def _key(self, kid: Any) -> Any:
        known = await self._current()
        found = _chosen(known.keys, kid)
        if found is None and self._may_ask():
            # The provider may have changed its keys since.
            found = _chosen((await self._current(at_least=self._elapsed())).keys, kid)
        if found is None:
            raise NotLetIn("the token is signed by a key that the provider does not have")
        return found

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._elapsed() - self._asked_at >= ASK_AGAIN_SECONDS

    async def _current(self, at_least: float | None = None) -> _Known:
        """What is known, asked anew where it is older than `at_least`, or than is good for it."""
        bound = self._elapsed() - FRESH_SECONDS if at_least is None else at_least
        if self._known is not None and self._known.at >= bound:
            return self._known
        async with self._asking:
            # Another has asked while this one waited.
            if self._known is not None and self._known.at >= bound:
                return self._known
            if self._elapsed() >= self._not_before:
                await self._ask()
        if self._known is not None and self._elapsed() - self._known.at < STALE_SECONDS:
            return self._known
        raise ProviderUnavailable("the OpenID provider does not answer; the same call may work in a moment")

    async def _ask(self) -> None:
        self._asked_at = self._elapsed()
        try:
            async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as client:
                async with asyncio.timeout(2 * _SECONDS):
                    endpoints = _endpoints(
                        await _document(client, self.issuer.rstrip("/") + "/.well-known/openid-configuration"),
                        self.issuer,
                    )
                    keys = _keys(await _document(client, endpoints.jwks))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, JoseError) as error:
            self._failures += 1
            pause = min(0.5 * 2.0**self._failures, _LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1)
            self._not_before = self._elapsed() + pause
            logger.warning("the OpenID provider does not answer", extra={"why": f"{type(error).__name__}: {error}"})
            return
        self._failures, self._not_before = 0, 0.0
        self._known = _Known(endpoints, keys, self._elapsed())


async def bounded(response: httpx.Response) -> bytes:
    """The body of an answer that is being read. Raises `httpx.ReadError` for one of more than 1 MiB."""
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise httpx.ReadError(f"more than {_MOST_BYTES >> 20} MiB")
    return body


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"{url} answered {response.status_code}")
        body = await bounded(response)
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"{url} did not answer with an object")
    return found


def _endpoints(document: dict[str, Any], issuer: str) -> Endpoints:
    if document.get("issuer") != issuer:
        raise ValueError(f"the provider calls itself {document.get('issuer')!r}, not {issuer!r}")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    texts = [str(document.get(name, "")) for name in names]
    for name, text in zip(names, texts, strict=True):
        # Plain HTTP only to this machine, as the issuer's own address.
        if not text.startswith(("https://", "http://") if issuer.startswith("http://") else "https://"):
            raise ValueError(f"its {name} is {text!r}")
    return Endpoints(issuer, *texts)


def _keys(document: dict[str, Any]) -> KeySet:
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError("its keys are no list, or too many")
    # A shared secret has no place in a public document; keys for encryption sign nothing.
    public = [key for key in listed if isinstance(key, dict) and key.get("kty") != "oct" and key.get("use") != "enc"]
    return KeySet.import_key_set({"keys": public})


def _chosen(keys: KeySet, kid: Any) -> Any:
    listed = list(keys)
    if kid is None:
        return listed[0] if len(listed) == 1 else None
    return next((key for key in listed if key.as_dict().get("kid") == kid), None)


def _header(token: str) -> dict[str, Any]:
    if len(token) > _LONGEST_TOKEN or token.count(".") != 2:
        raise NotLetIn("is no signed token")
    try:
        header: dict[str, Any] = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, UnicodeError) as error:
        raise NotLetIn(f"is no signed token: {type(error).__name__}") from None
    return header
