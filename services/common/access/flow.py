"""The authorization code flow of OpenID Connect with PKCE (RFC 7636): to the provider, and what is got for its code."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import quote_plus, urlencode

import httpx

from services.common.access.provider import Endpoints, bounded
from services.common.access.session import Flow
from services.common.errors import NotLetIn, ProviderUnavailable

SECONDS: Final = 10.0
_SCOPE = "openid profile email"


def authorization_url(endpoints: Endpoints, flow: Flow, client_id: str, returns_to: str) -> str:
    """Where the browser is sent."""
    digest = hashlib.sha256(flow.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": returns_to,
        "scope": _SCOPE,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(asked)}"


async def id_token(
    endpoints: Endpoints, flow: Flow, client_id: str, secret: str | None, returns_to: str, code: str
) -> str:
    """The ID token for a code, not yet verified. Raises `NotLetIn` where the provider refuses, and
    `ProviderUnavailable`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": returns_to,
        "client_id": client_id,
        "code_verifier": flow.verifier,
    }
    # RFC 6749 2.3.1: both halves are encoded as in a form first.
    basic = None if secret is None else httpx.BasicAuth(quote_plus(client_id), quote_plus(secret))
    try:
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client:
            headers = {"accept": "application/json"}
            async with client.stream("POST", endpoints.token, data=form, auth=basic, headers=headers) as response:
                body = await bounded(response)
                status = response.status_code
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        raise ProviderUnavailable(f"the provider gave no token: {type(error).__name__}") from None
    if status >= 500:
        raise ProviderUnavailable(f"the provider gave no token: it answered {status}")
    try:
        found = json.loads(body)
        token = found["id_token"] if status == httpx.codes.OK else None
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        raise NotLetIn(f"the provider does not take its code: it answered {status}")
    return token
