"""The HTTP paths of alerts, rules and silences."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse

from schemas.alerts import (
    Acknowledgement,
    AlertDetail,
    AlertState,
    NewSilence,
    Severity,
)
from schemas.alerts import Alert as AlertAnswer
from schemas.alerts import Silence as SilenceAnswer
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.worker import SKEW_MS
from services.alerts.ledger import Delivery, Moment
from services.alerts.lifecycle import State
from services.alerts.matchers import Matcher, matcher_of, stated
from services.alerts.muting import KEPT_BACK
from services.alerts.pages import LANGUAGES, Language, as_text, compose
from services.alerts.pages.picture import picture
from services.alerts.permission import campaign_of, operates, sees, shows
from services.alerts.rules.table import COLUMNS, rule_rows, standing_of
from services.alerts.silences import Silence
from services.common.access.guard import actor_of, noted, whose
from services.common.access.roles import Role
from services.common.clock import to_datetime, to_ms
from services.common.errors import Forbidden, InvalidRequest, NotFound
from services.common.paging import MOST_ROWS, PAGING, AnyPage, Page, Sorted, paging
from services.common.problems import problem
from services.common.tabular import TABLE_FORMS, About, Column, Type, tabular_response

if TYPE_CHECKING:
    from services.alerts.service import AlertsService

_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_SILENCE_MS = 400 * 86_400_000

_ALERT_COLUMNS = (
    Column("id", Type.TEXT),
    Column("rule", Type.TEXT),
    Column("severity", Type.TEXT),
    Column("state", Type.TEXT),
    Column("campaign_id", Type.TEXT),
    Column("labels", Type.JSON),
    Column("value", Type.RATIO),
    Column("threshold", Type.RATIO),
    Column("summary", Type.TEXT),
    Column("runbook", Type.TEXT),
    Column("starts_at", Type.TIME),
    Column("ends_at", Type.TIME),
    Column("complete_until", Type.TIME),
    Column("evidence", Type.JSON),
    Column("incident", Type.TEXT),
    Column("inhibited", Type.FLAG),
    Column("owner", Type.TEXT),
    Column("phase", Type.TEXT),
    Column("impact", Type.JSON),
    Column("annotations", Type.JSON),
)
_SILENCE_COLUMNS = (
    Column("id", Type.TEXT),
    Column("matchers", Type.JSON),
    Column("starts_at", Type.TIME),
    Column("ends_at", Type.TIME),
    Column("state", Type.TEXT),
    Column("by", Type.TEXT),
    Column("comment", Type.TEXT),
    Column("created_at", Type.TIME),
    Column("repeats", Type.JSON),
    Column("ended_by", Type.TEXT),
)


def alerts_router(service: AlertsService) -> APIRouter:
    """The router of one service."""
    router = APIRouter(prefix="/api/v1", tags=["alerts"])

    @router.get("/alerts", summary="Alerts, newest first", responses=TABLE_FORMS)
    async def list_alerts(
        request: Request,
        page: Annotated[Page, Depends(paging(100))],
        campaign_id: Annotated[str | None, Query(description="`*` for the pipeline's own alerts")] = None,
        state: Annotated[str | None, Query(description="pending, firing, acknowledged or resolved")] = None,
        severity: Annotated[str | None, Query(description="info, warning or critical")] = None,
        incident: Annotated[str | None, Query(description="the id of the alert that is the cause")] = None,
    ) -> Response:
        _refuse_unknown(request, "campaign_id", "state", "severity", "incident", *PAGING)
        _one_of("state", state, get_args(AlertState))
        _one_of("severity", severity, get_args(Severity))
        if campaign_id == "":
            raise InvalidRequest("campaign_id", "must not be empty")
        mine = whose(request).scope()
        found = [
            alert
            for alert in (service.pending() if state in (None, "pending") else [])
            if sees(mine, alert.campaign_id)
            and campaign_id in (None, alert.campaign_id)
            and severity in (None, alert.severity)
            and incident in (None, alert.incident)
        ]
        if state != "pending":
            recorded = await service.ledger.find(
                campaign_id=campaign_id or "",
                state=state or "",
                severity=severity or "",
                incident=incident or "",
                campaigns=mine.regex,
                limit=page.reach or MOST_ROWS,
            )
            # One that comes back is pending again.
            again = {alert.id for alert in found}
            found += [alert for alert in recorded if alert.id not in again]
        found.sort(key=lambda alert: (alert.starts_at, alert.id), reverse=True)
        order = [Sorted("starts_at", descending=True), Sorted("id", descending=True)]
        rows = [_fields(alert) for alert in found[: page.reach]]
        return tabular_response(request, _ALERT_COLUMNS, rows, page=page, order=order)

    @router.get("/alerts/{alert_id}", summary="One alert with its timeline")
    async def get_alert(request: Request, alert_id: str) -> AlertDetail:
        _refuse_unknown(request)
        return await _detail(service, await _shown(request, service, alert_id))

    @router.get(
        "/alerts/{alert_id}/page",
        summary="What receivers are told of an alert",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {}}}},
    )
    async def get_page(
        request: Request,
        alert_id: str,
        lang: Annotated[str, Query(description="en or zh")] = "en",
    ) -> Response:
        _refuse_unknown(request, "lang")
        _one_of("lang", lang, LANGUAGES)
        alert = await _shown(request, service, alert_id)
        page = compose(Transition(alert, service.now), service.external_url, cast(Language, lang))
        return PlainTextResponse(as_text(page))

    @router.get(
        "/alerts/{alert_id}/curve.png",
        summary="The curve that an alert was judged by",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    async def get_curve(request: Request, alert_id: str) -> Response:
        _refuse_unknown(request)
        drawn = picture(await _shown(request, service, alert_id))
        if drawn is None:
            raise NotFound("curve of alert", alert_id)
        return Response(drawn, media_type="image/png")

    @router.post("/alerts/{alert_id}/ack", summary="Acknowledge a firing alert", response_model=AlertDetail)
    async def acknowledge(request: Request, alert_id: str, body: Acknowledgement) -> Any:
        _refuse_unknown(request)
        actor = actor_of(request, body.by)
        noted(request, target=alert_id)
        standing = await _shown(request, service, alert_id)
        noted(request, campaign_id=standing.campaign_id, rule=standing.rule)
        if not whose(request).may(Role.OPERATOR, standing.campaign_id):
            raise Forbidden("this needs the role operator for the alert's campaign, or for all where it is of none")
        alert = await service.acknowledge(alert_id, actor, body.note)
        if alert is None:
            standing = await service.find_alert(alert_id)
            return problem(
                409, "Not firing", f"only a firing alert can be acknowledged; this one is {standing.state.value}"
            )
        return await _detail(service, alert)

    @router.post("/silences", status_code=201, summary="Mute alerts by their labels")
    async def add_silence(request: Request, body: NewSilence) -> SilenceAnswer:
        _refuse_unknown(request)
        now = service.now
        starts_at = now if body.starts_at is None else to_ms(body.starts_at)
        if body.ends_at is not None:
            field, ends_at = "ends_at", to_ms(body.ends_at)
        else:
            assert body.duration is not None
            field, ends_at = "duration", starts_at + int(body.duration[:-1]) * _UNIT_MS[body.duration[-1]]
        if ends_at <= starts_at or ends_at <= now:
            raise InvalidRequest(field, "the silence must end after it starts, and not in the past")
        if ends_at - now > _LONGEST_SILENCE_MS:
            raise InvalidRequest(field, "a silence may last 400 days at most")
        matchers = _matchers(body)
        actor = actor_of(request, body.by)
        if not operates(whose(request), matchers):
            raise Forbidden(
                "this needs the role operator for every campaign, or a matcher campaign_id with one of yours"
            )
        silence = Silence(
            uuid.uuid4().hex,
            matchers,
            starts_at,
            ends_at,
            actor,
            body.comment,
            now,
            {} if body.repeats is None else body.repeats.model_dump(),
        )
        told = {name: stated(matcher) for name, matcher in matchers.items()}
        noted(request, campaign_id=campaign_of(matchers) or "", target=silence.id, matchers=told)
        await service.silences.add(silence, now)
        return SilenceAnswer(**_silence_fields(silence, now))

    @router.delete("/silences/{silence_id}", summary="End a silence at once")
    async def end_silence(
        request: Request,
        silence_id: str,
        by: Annotated[
            str | None, Query(min_length=1, max_length=128, description="who ends it; with a login it is who asks")
        ] = None,
    ) -> SilenceAnswer:
        _refuse_unknown(request, "by")
        by = actor_of(request, by)
        noted(request, target=silence_id)
        await _allowed(request, service, silence_id)
        silence = await service.silences.end(silence_id, by, service.now)
        return SilenceAnswer(**_silence_fields(silence, service.now))

    @router.get("/silences", summary="Silences, newest first", responses=TABLE_FORMS)
    async def list_silences(request: Request, page: AnyPage) -> Response:
        _refuse_unknown(request, *PAGING)
        now = service.now
        mine = whose(request).scope()
        rows = [_silence_fields(silence, now) for silence in service.silences.all if shows(mine, silence.matchers)]
        return tabular_response(request, _SILENCE_COLUMNS, rows, page=page)

    @router.get(
        "/rules", summary="The rules in force, each with its state, and how their file stands", responses=TABLE_FORMS
    )
    async def list_rules(request: Request, page: AnyPage) -> Response:
        _refuse_unknown(request, *PAGING)
        engine, book = service.engine, service.rulebook
        mine = whose(request).scope()
        alerts = [alert for alert in engine.alerts.values() if sees(mine, alert.campaign_id)]
        rows = rule_rows(engine.rules.values(), book.places, alerts)
        about = About({"file": standing_of(book.standing)})
        return tabular_response(request, COLUMNS, rows, page=page, about=about)

    return router


async def _shown(request: Request, service: AlertsService, alert_id: str) -> Alert:
    """An alert that the asker may see. Raises `NotFound` for any other as for one that there never was."""
    alert = await service.find_alert(alert_id)
    if not sees(whose(request).scope(), alert.campaign_id):
        raise NotFound("alert", alert_id)
    return alert


async def _allowed(request: Request, service: AlertsService, silence_id: str) -> None:
    """Raises what keeps the asker from ending a silence."""
    principal = whose(request)
    known = next((silence for silence in service.silences.all if silence.id == silence_id), None)
    if known is None or not shows(principal.scope(), known.matchers):
        raise NotFound("silence", silence_id)
    if not operates(principal, known.matchers):
        raise Forbidden("this needs the role operator for every campaign that the silence is for")


async def _detail(service: AlertsService, alert: Alert) -> AlertDetail:
    since = await service.ledger.receivers_since()
    timeline: list[dict[str, Any]] = [{"at": to_datetime(alert.begun_at), "state": "pending"}]
    timeline += [
        {
            "at": to_datetime(moment.at),
            "state": moment.state,
            "by": moment.actor or None,
            "note": moment.note or None,
            **_delivery(service, alert, moment, since),
        }
        for moment in await service.ledger.timeline(alert.id)
    ]
    if alert.state is State.PENDING and alert.seq:
        timeline.append({"at": to_datetime(alert.life.pending_at), "state": "pending"})
    return AlertDetail.model_validate({**_fields(alert), "timeline": timeline})


def _delivery(service: AlertsService, alert: Alert, moment: Moment, since: Mapping[str, int]) -> dict[str, Any]:
    """By receiver, those that are still to hear of it among them, and in one word.

    A receiver is not told of what was before it: `since`, when each was first heard of.
    """
    found = {delivery.receiver: delivery for delivery in moment.deliveries}
    expected = service.outbox.expected(Transition(alert, moment.at, notice=moment.notice))
    waiting = [
        Delivery(name, "waiting")
        for name in expected
        if name not in found and moment.at >= since.get(name, 0) - SKEW_MS
    ]
    outcomes = {delivery.outcome for delivery in (*found.values(), *waiting)}
    worst = next((outcome for outcome in ("waiting", "undelivered", "delivered") if outcome in outcomes), None)
    return {
        "delivery": worst,
        "deliveries": [
            {
                "receiver": delivery.receiver,
                "outcome": delivery.outcome,
                "at": to_datetime(delivery.at) if delivery.at else None,
                "attempts": delivery.attempts or None,
                "detail": delivery.detail or None,
            }
            for delivery in (*found.values(), *waiting)
        ],
    }


def _fields(alert: Alert) -> dict[str, Any]:
    return AlertAnswer.model_validate(
        {
            "id": alert.id,
            "rule": alert.rule,
            "severity": alert.severity,
            "state": alert.state.value,
            "campaign_id": alert.campaign_id,
            "labels": dict(alert.labels),
            "value": alert.value,
            "threshold": alert.threshold,
            "summary": alert.summary,
            "runbook": alert.runbook,
            "starts_at": to_datetime(alert.starts_at),
            "ends_at": None if alert.ends_at is None else to_datetime(alert.ends_at),
            "complete_until": to_datetime(alert.complete_until),
            "evidence": dict(alert.evidence),
            "incident": alert.incident,
            "inhibited": alert.mute in KEPT_BACK,
            "owner": alert.owner,
            "phase": alert.phase,
            "impact": alert.impact and alert.impact.told(),
            "annotations": dict(alert.annotations),
        }
    ).model_dump()


def _matchers(body: NewSilence) -> dict[str, Matcher]:
    found = {}
    for name, given in body.matchers.items():
        matcher = matcher_of(given if isinstance(given, str) else given.model_dump(by_alias=True))
        try:
            matcher.check()
        except ValueError as error:
            raise InvalidRequest(f"matchers.{name}", f"is no regular expression (RE2): {error}") from None
        found[name] = matcher
    return found


def _silence_fields(silence: Silence, now: int) -> dict[str, Any]:
    return {
        "id": silence.id,
        "matchers": {name: stated(matcher) for name, matcher in silence.matchers.items()},
        "starts_at": to_datetime(silence.starts_at),
        "ends_at": to_datetime(silence.ends_at),
        "state": silence.state(now),
        "by": silence.created_by,
        "comment": silence.comment,
        "created_at": to_datetime(silence.created_at),
        "repeats": dict(silence.repeats) or None,
        "ended_by": silence.ended_by,
    }


def _refuse_unknown(request: Request, *known: str) -> None:
    for name in request.query_params:
        if name not in known and name != "format":
            raise InvalidRequest(name, f"is unknown; there are {', '.join((*known, 'format'))}")


def _one_of(field: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise InvalidRequest(field, f"must be one of {', '.join(allowed)}")
