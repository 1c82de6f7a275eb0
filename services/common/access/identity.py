"""Who asks, by what the request shows: an API key, an access token, or the cookie of a session."""

from __future__ import annotations

from collections.abc import Mapping

from services.common.access.claims import grants_of
from services.common.access.keys import PREFIX, KeyBook
from services.common.access.provider import Provider
from services.common.access.roles import ANYONE, How, Principal
from services.common.access.session import COOKIE, Session, Sessions, cookie_of
from services.common.clock import Clock
from services.common.errors import NotLetIn
from services.common.settings import Settings

_LONGEST_NAME = 128


class Identity:
    """Finds the principal of a request."""

    def __init__(
        self, settings: Settings, keys: KeyBook | None, provider: Provider | None, sessions: Sessions, clock: Clock
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._provider = provider
        self.sessions = sessions
        self._clock = clock

    @property
    def locked(self) -> bool:
        """Whether anybody is asked."""
        return self._keys is not None or self._provider is not None

    async def of(self, headers: Mapping[str, str]) -> Principal | None:
        """None for one who shows nothing. What is shown has to hold, else `NotLetIn`; a header wins over a cookie.

        Raises `ProviderUnavailable`.
        """
        if not self.locked:
            return ANYONE
        shown = headers.get("authorization")
        if shown is not None:
            scheme, _, token = shown.partition(" ")
            if scheme.lower() != "bearer":
                raise NotLetIn("Authorization must be Bearer, with an API key or an access token")
            return await self._of_token(token.strip())
        cookie = cookie_of(headers.get("cookie"), COOKIE)
        return None if cookie is None else self.of_session(self.sessions.read(cookie, self._clock()))

    def of_key(self, key: str) -> tuple[Principal, str, str]:
        """Whose key it is, with the name and the mark of the key for a session. Raises `NotLetIn`."""
        if self._keys is None:
            raise NotLetIn("API keys are not let in here")
        entry = self._keys.find(key, self._clock())
        return entry.principal(), entry.name, entry.sha256[:16]

    def of_session(self, session: Session) -> Principal:
        """Raises `NotLetIn` where what it was begun with is gone."""
        if session.key:
            if self._keys is None:
                raise NotLetIn("API keys are not let in any more")
            entry = self._keys.named(session.key, session.mark, self._clock())
            return entry.principal(How.SESSION, browser=True)
        if self._provider is None or session.issuer != self._provider.issuer:
            raise NotLetIn("the provider of this session is another one now")
        grants = grants_of(session.claims or {}, self._settings.oidc_roles)
        return Principal(session.name, grants, How.SESSION, session.subject, browser=True)

    def name_of(self, claims: Mapping[str, object]) -> str:
        """What a person is called: the claim that the settings name, else the provider's own name of them."""
        found = claims.get(self._settings.oidc_name_claim)
        text = found if isinstance(found, str) and found.strip() else str(claims.get("sub", ""))
        return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_NAME]

    async def _of_token(self, token: str) -> Principal:
        if token.startswith(PREFIX) or self._provider is None:
            return self.of_key(token)[0]
        audience = self._settings.oidc_audience
        if audience is None:
            raise NotLetIn("access tokens are not let in: WARROOM_OIDC_AUDIENCE is not set")
        claims = await self._provider.verify(token, audience, self._clock())
        grants = grants_of(claims, self._settings.oidc_roles)
        return Principal(self.name_of(claims), grants, How.TOKEN, str(claims["sub"]))
