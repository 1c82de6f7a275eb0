"""The part of every process that knows who may come in: its door, its sign-in, and its activity log."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp

from services.common import prometheus
from services.common.access.activity import ActivityLog, activity_of
from services.common.access.claims import grants_of, matched
from services.common.access.farewells import Farewells
from services.common.access.flow import authorization_url, id_token
from services.common.access.guard import Guard, whose
from services.common.access.identity import Identity
from services.common.access.keys import KeyBook
from services.common.access.origins import foreign_write
from services.common.access.page import Language, inside, language_of, login_page
from services.common.access.provider import Provider
from services.common.access.roles import How, Principal, Role
from services.common.access.session import (
    COOKIE,
    FLOW_COOKIE,
    FLOW_SECONDS,
    Flow,
    Session,
    Sessions,
    cookie_of,
    session_keys,
    set_cookie,
)
from services.common.access.trail import build_activity_router
from services.common.clock import Clock, wall_clock
from services.common.errors import ConfigurationError, NotLetIn, ProviderUnavailable
from services.common.problems import problem
from services.common.settings import Settings
from services.common.store import Store
from services.common.transport import is_loopback

logger = logging.getLogger(__name__)

_MOST_FORM_BYTES = 8 << 10


def refuse_open_door(settings: Settings) -> None:
    """Raises `ConfigurationError` where others than this machine could come in and nobody is asked who they are."""
    if not settings.locked and not is_loopback(settings.http_host):
        raise ConfigurationError(
            f"WARROOM_HTTP_HOST is {settings.http_host!r}, which others can reach, and nobody would be asked "
            "who they are; set WARROOM_API_KEYS_FILE (`warroom keys add` makes one) or WARROOM_OIDC_ISSUER, or listen "
            "on 127.0.0.1"
        )


class AccessService:
    """Implements `services.common.service.Service`.

    Without a store the activity log is in the process's log alone. Raises `ConfigurationError` for files that
    cannot be read, and for an address that others can reach where nobody is asked who they are.
    """

    name = "access"

    def __init__(self, settings: Settings, store: Store | None, clock: Clock = wall_clock) -> None:
        refuse_open_door(settings)
        self._settings = settings
        self._clock = clock
        self._keys = KeyBook(settings.api_keys_file) if settings.api_keys_file is not None else None
        self._provider = Provider(settings.oidc_issuer) if settings.oidc_issuer is not None else None
        self._secret = _secret(settings.oidc_client_secret_file)
        self._sessions = Sessions(session_keys(settings.session_key_file))
        self._identity = Identity(settings, self._keys, self._provider, self._sessions, clock)
        self.log = ActivityLog(store, clock)
        self._farewells = Farewells(self.log, self._sessions, clock)
        self._secure = urlsplit(settings.external_url).scheme == "https"
        if settings.locked and not self._secure and not is_loopback(settings.http_host):
            logger.warning("keys and sessions are sent in the clear: WARROOM_EXTERNAL_URL is not https")
        self.router = self._routes()

    def guard(self, app: ASGIApp) -> ASGIApp:
        """The application behind the door."""
        own = self._settings.external_url
        return Guard(app, identity=self._identity, log=self.log, own=own)

    async def run(self, stop: asyncio.Event) -> None:
        """Writes the activity log, and reads who has signed out elsewhere, until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.log.run(stop), name="access-activity")
            if self._identity.locked:
                tasks.create_task(self._farewells.run(stop), name="access-farewells")

    def not_ready(self) -> str | None:
        """Always ready: a provider or a store that is away keeps nobody out who is known."""
        return None

    def _routes(self) -> APIRouter:
        router = APIRouter()
        router.include_router(build_activity_router(self.log))

        @router.get("/api/v1/session", tags=["access"], summary="Who asks, and what they may do")
        async def session(request: Request) -> dict[str, Any]:
            return _told(whose(request), locked=self._identity.locked)

        @router.get("/login", include_in_schema=False)
        async def login(
            request: Request,
            next: Annotated[str | None, Query()] = None,
            lang: Annotated[str | None, Query()] = None,
        ) -> Response:
            return self._page(request, inside(next), lang)

        @router.post("/login", include_in_schema=False)
        async def sign_in(request: Request) -> Response:
            # The door has looked at where other calls come from by their cookie; this one has none yet.
            if foreign_write("POST", request.headers, self._settings.external_url):
                return problem(403, "Another site", "a page of another site may not sign anybody in here")
            form = await _form(request)
            if form is None:
                return problem(413, "Too large", "a form of sign-in is small")
            return await self._with_key(request, form)

        @router.get("/login/provider", include_in_schema=False)
        async def to_provider(request: Request, next: Annotated[str | None, Query()] = None) -> Response:
            return await self._to_provider(request, inside(next))

        @router.get("/login/callback", include_in_schema=False)
        async def callback(request: Request) -> Response:
            return await self._from_provider(request)

        @router.post("/logout", include_in_schema=False)
        async def sign_out(request: Request) -> Response:
            return await self._sign_out(request)

        return router

    def _page(
        self, request: Request, following: str, lang: str | None = None, trouble: str = "", status: int = 200
    ) -> Response:
        if not self._identity.locked:
            return RedirectResponse(_root(request) + following, 303)
        language: Language = language_of(lang, request.headers.get("accept-language", ""))
        return login_page(
            language,
            following,
            keys=self._keys is not None,
            provider=self._provider is not None and self._settings.oidc_client_id is not None,
            problem=trouble,
            root=_root(request),
            status=status,
        )

    async def _with_key(self, request: Request, form: dict[str, str]) -> Response:
        following = inside(form.get("next"))
        try:
            principal, name, mark = self._identity.of_key(form.get("key", "").strip())
        except NotLetIn as error:
            prometheus.SIGN_INS.labels("key", "refused").inc()
            logger.info("a sign-in was refused", extra={"why": str(error)})
            self.log.refuse(
                activity_of(None, "sign_in", self._clock(), result="refused", detail={"reason": "credentials"})
            )
            return self._page(request, following, form.get("lang"), "wrong_key", 401)
        session = Session(secrets.token_urlsafe(16), self._ends(), key=name, mark=mark)
        return await self._signed_in(request, principal, session, following, "key")

    async def _to_provider(self, request: Request, following: str) -> Response:
        if self._provider is None or self._settings.oidc_client_id is None:
            return problem(404, "Not Found", "Not Found")
        try:
            endpoints = await self._provider.endpoints()
        except ProviderUnavailable:
            return self._page(request, following, trouble="away", status=503)
        flow = Flow(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=following,
            ends=self._clock() // 1000 + FLOW_SECONDS,
        )
        address = authorization_url(endpoints, flow, self._settings.oidc_client_id, self._returns_to)
        answer = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
        self._cookie(request, answer, FLOW_COOKIE, self._sessions.write_flow(flow), FLOW_SECONDS)
        return answer

    async def _from_provider(self, request: Request) -> Response:
        if self._provider is None or self._settings.oidc_client_id is None:
            return problem(404, "Not Found", "Not Found")
        try:
            flow = self._sessions.read_flow(cookie_of(request.headers.get("cookie"), FLOW_COOKIE) or "", self._clock())
            claims = await self._claims(request, flow)
        except ProviderUnavailable:
            return self._page(request, "/", trouble="away", status=503)
        except NotLetIn as error:
            return self._turned_away(request, "refused", str(error))
        if not grants_of(claims, self._settings.oidc_roles):
            return self._turned_away(request, "no_role", "no rule of WARROOM_OIDC_ROLES gives them a role")
        session = Session(
            secrets.token_urlsafe(16),
            self._ends(),
            name=self._identity.name_of(claims),
            issuer=self._provider.issuer,
            subject=str(claims["sub"]),
            claims=matched(claims, self._settings.oidc_roles),
        )
        answer = await self._signed_in(request, self._identity.of_session(session), session, flow.next, "provider")
        self._cookie(request, answer, FLOW_COOKIE, "", 0)
        return answer

    async def _claims(self, request: Request, flow: Flow) -> dict[str, Any]:
        """What the provider says of who comes back from it. Raises `NotLetIn` and `ProviderUnavailable`."""
        assert self._provider is not None
        assert self._settings.oidc_client_id is not None
        asked = request.query_params
        if not hmac.compare_digest(asked.get("state", "").encode(), flow.state.encode()):
            raise NotLetIn("the answer belongs to another sign-in")
        # RFC 9207: providers that say who they are have to be the one that was asked.
        if asked.get("iss") not in (None, self._provider.issuer):
            raise NotLetIn("another provider answered")
        if "error" in asked or "code" not in asked:
            raise NotLetIn(f"the provider refused: {asked.get('error', 'no code')[:100]}")
        endpoints = await self._provider.endpoints()
        client_id = self._settings.oidc_client_id
        token = await id_token(endpoints, flow, client_id, self._secret, self._returns_to, asked["code"])
        return await self._provider.verify(token, client_id, self._clock(), nonce=flow.nonce)

    @property
    def _returns_to(self) -> str:
        return self._settings.external_url.rstrip("/") + "/login/callback"

    def _turned_away(self, request: Request, trouble: str, why: str) -> Response:
        prometheus.SIGN_INS.labels("provider", "refused").inc()
        logger.info("a sign-in was refused", extra={"why": why})
        self.log.refuse(activity_of(None, "sign_in", self._clock(), result="refused", detail={"reason": trouble}))
        answer = self._page(request, "/", trouble=trouble, status=401)
        self._cookie(request, answer, FLOW_COOKIE, "", 0)
        return answer

    async def _signed_in(
        self, request: Request, principal: Principal, session: Session, following: str, way: str
    ) -> Response:
        prometheus.SIGN_INS.labels(way, "done").inc()
        await self.log.confirm(activity_of(principal, "sign_in", self._clock(), detail={"way": way}))
        answer = RedirectResponse(_root(request) + following, 303, headers={"Cache-Control": "no-store"})
        self._cookie(request, answer, COOKIE, self._sessions.write(session), self._settings.session_hours * 3600)
        return answer

    async def _sign_out(self, request: Request) -> Response:
        if foreign_write("POST", request.headers, self._settings.external_url):
            return problem(403, "Another site", "a page of another site may not sign anybody out here")
        cookie = cookie_of(request.headers.get("cookie"), COOKIE)
        if cookie is not None and self._identity.locked:
            try:
                session = self._sessions.read(cookie, self._clock())
                principal = self._identity.of_session(session)
            except NotLetIn:
                principal = None
            else:
                self._sessions.end(session.id, session.ends, self._clock())
                # Other processes learn it by this entry. Without its signature the id lets nobody in.
                await self.log.confirm(activity_of(principal, "sign_out", self._clock(), target=session.id))
        answer = RedirectResponse(f"{_root(request)}/login", 303, headers={"Cache-Control": "no-store"})
        self._cookie(request, answer, COOKIE, "", 0)
        return answer

    def _ends(self) -> int:
        return self._clock() // 1000 + self._settings.session_hours * 3600

    def _cookie(self, request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
        secure = self._secure or request.url.scheme == "https"
        path = _root(request) + "/"
        answer.headers.append("Set-Cookie", set_cookie(name, value, seconds=seconds, path=path, secure=secure))


def unguarded() -> AccessService:
    """For an application that no socket leads to: everybody may everything, and what they do is in the log alone."""
    return AccessService(Settings.model_construct(), None)


def _told(principal: Principal, *, locked: bool) -> dict[str, Any]:
    return {
        "login": locked,
        "name": principal.name or None,
        "role": principal.role.word if principal.role is not None else None,
        "grants": [{"role": grant.role.word, "campaigns": list(grant.scope.patterns)} for grant in principal.grants],
        # What the page can sign out of: a key that a proxy adds is not the page's to drop.
        "session": principal.how is How.SESSION,
        "operates": list(principal.scope(Role.OPERATOR).patterns),
    }


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a small urlencoded form; None for a large one."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"WARROOM_OIDC_CLIENT_SECRET_FILE {path} cannot be read: {error}") from error
    if not secret:
        raise ConfigurationError(f"WARROOM_OIDC_CLIENT_SECRET_FILE {path} is empty")
    return secret
