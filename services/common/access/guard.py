"""The one door: every request passes here before the application sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common import prometheus
from services.common.access.activity import ActivityLog, activity_of
from services.common.access.identity import Identity
from services.common.access.origins import foreign_write
from services.common.access.roles import ANYONE, Decision, How, Principal, Reach, Verdict, decide
from services.common.access.table import Call, call_of, methods_of
from services.common.errors import InvalidRequest, NotLetIn, ProviderUnavailable
from services.common.problems import problem

logger = logging.getLogger(__name__)

RECHECK_SECONDS: Final = 10.0
"""A stream goes on so long at most for one who may not see it any more."""

_PRINCIPAL = "warroom.principal"
_NOTE = "warroom.note"
_EXPORTS = ("text/csv", "application/vnd.apache.")
_WHY = {Verdict.WHO: "no sign-in", Verdict.ROLE: "role", Verdict.HIDDEN: "campaign"}


@dataclass(slots=True)
class Note:
    """What a route adds to the entry of its call in the activity log."""

    campaign_id: str = ""
    target: str = ""
    actor: str = ""
    """Who it was, as they said themselves; counts only where nobody is asked."""
    detail: dict[str, Any] = field(default_factory=dict)


def whose(request: Request) -> Principal:
    """Who asks. On an open loopback everybody is `ANYONE`."""
    found: Principal | None = request.scope["state"][_PRINCIPAL]
    # A route that anybody may call is told of those that are known alone.
    return found if found is not None else _STRANGER


def noted(request: Request, *, campaign_id: str = "", target: str = "", **detail: Any) -> None:
    """Adds to the entry of this call in the activity log."""
    note: Note = request.scope["state"][_NOTE]
    note.campaign_id = campaign_id or note.campaign_id
    note.target = target or note.target
    note.detail.update(detail)


def actor_of(request: Request, said: str | None) -> str:
    """The name to write beside what somebody did: their own, or, where nobody is asked who they are, the one that they
    give in the field `by`. Raises `InvalidRequest` where they give none."""
    principal = whose(request)
    if principal.how is How.OPEN:
        if said is None:
            raise InvalidRequest("by", "is missing; say who does this")
        request.scope["state"][_NOTE].actor = said
        return said
    return principal.name


_STRANGER = Principal("", (), ANYONE.how)


class Guard:
    """Middleware. `own` is the address that people reach us by."""

    def __init__(self, app: ASGIApp, *, identity: Identity, log: ActivityLog, own: str) -> None:
        self._app = app
        self._identity = identity
        self._log = log
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            # There are no other ways in.
            return
        headers = Headers(scope=scope)
        call = call_of(scope["method"], scope["path"])
        try:
            principal = await self._principal(headers, call)
        except NotLetIn as error:
            await self._stranger(scope, receive, send, call, str(error))
            return
        except ProviderUnavailable as error:
            await problem(503, "Provider unavailable", str(error))(scope, receive, send)
            return
        refusal = self._refusal(scope, headers, call, principal)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        note = Note(campaign_id=(call.names.get("campaign_id", "") if call else ""))
        scope.setdefault("state", {}).update({_PRINCIPAL: principal, _NOTE: note})
        watched = self._recorded(scope, send, call, principal, note)
        if call is not None and call.need.lasting and self._identity.locked:
            await self._app(scope, _While(self._still(headers, call), receive), watched)
        else:
            await self._app(scope, receive, watched)

    async def _principal(self, headers: Headers, call: Call | None) -> Principal | None:
        if call is not None and call.need.reach is Reach.OPEN:
            # Whatever they show: nobody is kept from the door itself.
            with contextlib.suppress(NotLetIn, ProviderUnavailable):
                return await self._identity.of(headers)
            return None
        return await self._identity.of(headers)

    def _refusal(
        self, scope: Scope, headers: Headers, call: Call | None, principal: Principal | None
    ) -> Response | None:
        method, path = scope["method"], scope["path"]
        if principal is not None and principal.browser and foreign_write(method, headers, self._own):
            self._refused(principal, call, "another site", path)
            return problem(403, "Another site", "a page of another site may not change anything here")
        if not self._identity.locked:
            return None
        if call is None:
            return self._unknown(method, path, principal)
        decision = decide(principal, call.need.reach, call.need.role, call.names.get("campaign_id"))
        if decision.allowed:
            return None
        if decision.verdict is not Verdict.WHO:
            self._refused(principal, call, _WHY[decision.verdict], path)
        else:
            prometheus.REFUSALS.labels(_WHY[decision.verdict]).inc()
        return _answer(decision, scope, headers, call)

    def _unknown(self, method: str, path: str, principal: Principal | None) -> Response:
        if principal is None:
            return _who("sign in, or send an API key or token as `Authorization: Bearer ...`")
        if methods := methods_of(path):
            answer = problem(405, "Method Not Allowed", "Method Not Allowed")
            answer.headers["Allow"] = ", ".join(methods)
            return answer
        return problem(404, "Not Found", "Not Found")

    def _refused(self, principal: Principal | None, call: Call | None, why: str, path: str) -> None:
        prometheus.REFUSALS.labels(why).inc()
        action = (call.need.action or "read") if call else "unknown"
        campaign = call.names.get("campaign_id", "") if call else ""
        detail = {"reason": why, "call": call.template if call else ""}
        self._log.refuse(
            activity_of(
                principal, action, self._log.now,
                result="refused", campaign_id=campaign[:64], target=path[:256], detail=detail,
            )
        )  # fmt: skip

    async def _stranger(self, scope: Scope, receive: Receive, send: Send, call: Call | None, why: str) -> None:
        """One whose key, token or session does not hold."""
        self._refused(None, call, "credentials", "")
        logger.info("a call was not let in", extra={"why": why})
        headers = Headers(scope=scope)
        decision = Decision(Verdict.WHO, "the key, token or session does not hold; sign in again")
        answer = _answer(decision, scope, headers, call) if call else _who(decision.reason)
        if "www-authenticate" in answer.headers and "authorization" in headers:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="warroom", error="invalid_token"'
        await answer(scope, receive, send)

    def _recorded(self, scope: Scope, send: Send, call: Call | None, principal: Principal | None, note: Note) -> Send:
        """Writes the entry of the call once its outcome is known, before the answer begins."""
        if call is None:
            return send

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                action, detail = call.need.action, note.detail
                media = _media(message)
                if not action and media.startswith(_EXPORTS):
                    action = "export"
                if action == "export":
                    detail = {**detail, "form": media, "call": call.template}
                if action and not (action == "export" and message["status"] >= 300):
                    status = message["status"]
                    result = "done" if status < 300 else "refused" if status == 403 else "failed"
                    entry = activity_of(
                        principal, action, self._log.now, result=result, campaign_id=note.campaign_id,
                        target=note.target, detail=detail if status < 300 else {**detail, "status": status},
                    )  # fmt: skip
                    if not entry.actor and note.actor:
                        entry = replace(entry, actor=note.actor)
                    await self._log.confirm(entry)
            await send(message)

        return recorded

    def _still(self, headers: Headers, call: Call) -> Any:
        async def still() -> bool:
            try:
                principal = await self._identity.of(headers)
            except NotLetIn:
                return False
            except ProviderUnavailable:
                # It was let in while the provider answered; that it is away now ends nobody's screen.
                return True
            return decide(principal, call.need.reach, call.need.role, call.names.get("campaign_id")).allowed

        return still


class _While:
    """Receives for as long as the asker may; then says that the other side has gone."""

    def __init__(self, still: Any, receive: Receive) -> None:
        self._still = still
        self._receive = receive

    async def __call__(self) -> Message:
        task = asyncio.ensure_future(self._receive())
        try:
            while True:
                done, _ = await asyncio.wait([task], timeout=RECHECK_SECONDS)
                if done:
                    return task.result()
                if not await self._still():
                    logger.info("a stream was ended: whoever watched it may not any more")
                    return {"type": "http.disconnect"}
        finally:
            task.cancel()


def _answer(decision: Decision, scope: Scope, headers: Mapping[str, str], call: Call) -> Response:
    if decision.verdict is Verdict.WHO:
        if call.need.page and "text/html" in headers.get("accept", ""):
            # With the query: what somebody was sent a link to.
            query = scope.get("query_string", b"").decode("latin-1")
            target = scope.get("root_path", "") + scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"{scope.get('root_path', '')}/login?next={quote(target, safe='')}", 303)
        return _who(decision.reason)
    if decision.verdict is Verdict.HIDDEN:
        # Word for word what is said of one that does not exist.
        return problem(404, "Not found", decision.reason)
    return problem(403, "Forbidden", decision.reason)


def _who(reason: str) -> Response:
    answer = problem(401, "Who is there?", reason)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="warroom"'
    return answer


def _media(message: Message) -> str:
    for name, value in message.get("headers", []):
        if name == b"content-type":
            return str(value.decode("latin-1"))
    return ""
