"""Whether an open alert is paged, kept back, or told no more: pure, one alert and one moment at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from services.alerts.alert import Alert, Transition
from services.alerts.escalation import Escalation, escalate
from services.alerts.incidents import Effect, outweighs
from services.alerts.lifecycle import State


class Mute(StrEnum):
    """Why receivers hear nothing of an alert at the moment."""

    NONE = ""
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    """Its cause is open, and was paged in its place, or was silenced on purpose."""
    RECOVERING = "recovering"
    """Its cause has ended a short while ago, and may still be seen in what the rule looks at."""
    WAITING = "waiting"
    """It has just fired, and what may be its cause is given the time to fire first."""


_BEGINS = {
    Mute.RECOVERING: "its cause has ended; paged if it lasts",
    Mute.WAITING: "its page waits a few seconds for a cause",
}
_ENDS = {
    Mute.SILENCED: "its silence has ended",
    Mute.RECOVERING: "it has outlasted its cause",
    Mute.INHIBITED: "it has outlasted its cause",
    Mute.WAITING: "no cause was seen",
}
KEPT_BACK = (Mute.INHIBITED, Mute.RECOVERING)


@dataclass(frozen=True, slots=True)
class Around:
    """What matters to an alert beside itself: whether and why it is silenced, and the open alert that causes it.

    `incident` is the id of what that cause goes back to. `bad`: it was seen to be bad at this very look.
    """

    effect: Effect
    escalation: Escalation
    silenced: str | bool = False
    cause: Alert | None = None
    incident: str = ""
    bad: bool = True


def settle(alert: Alert, changed: bool, now: int, around: Around) -> tuple[Alert, Transition | None]:
    """The alert with what follows for its page, and the transition to record when anything has changed.

    `changed`: its state is another than at the look before.
    """
    if alert.state is State.PENDING:
        return alert, None
    if alert.state is State.RESOLVED:
        if not changed:
            return alert, None
        alert = replace(alert, seq=alert.seq + 1)
        # An end wakes nobody, and whoever was told of the beginning waits for it, silenced or not.
        notice = "resolved" if alert.notified else ""
        return alert, Transition(alert, now, note=_silence_note(around) if alert.notified else "", notice=notice)
    muted = _muted(alert, now, around)
    # Only what is bad at this very look is worth a page that comes late.
    pages = alert.state is State.FIRING and not alert.notified and muted.mute == Mute.NONE and around.bad
    if not (changed or pages or muted.mute != alert.mute or muted.incident != alert.incident):
        escalated = escalate(muted, now, around.escalation)
        return (muted, None) if escalated is None else (escalated.alert, escalated)
    after = replace(muted, seq=alert.seq + 1)
    if pages:
        after = replace(after, notified=True, told_at=now)
    note = _note(alert, after, changed, around)
    return after, Transition(after, now, note=note, notice="firing" if pages else "")


def _muted(alert: Alert, now: int, around: Around) -> Alert:
    cause, effect = around.cause, around.effect
    incident = around.incident or alert.incident
    quiet_until = alert.quiet_until
    kept_back = cause is not None and outweighs(cause, alert)
    if kept_back or (alert.mute == Mute.INHIBITED and cause is None):
        quiet_until = now + effect.linger_ms
    if around.silenced:
        mute = Mute.SILENCED
    elif alert.notified:
        mute = Mute.NONE
    elif kept_back:
        mute = Mute.INHIBITED
    elif quiet_until is not None and now < quiet_until:
        mute = Mute.RECOVERING
    elif quiet_until is None and now - (alert.life.fired_at or 0) < effect.wait_ms:
        mute = Mute.WAITING
    else:
        mute = Mute.NONE
    if (mute, incident, quiet_until) == (alert.mute, alert.incident, alert.quiet_until):
        return alert
    return replace(alert, mute=mute, incident=incident, quiet_until=quiet_until)


def _note(before: Alert, after: Alert, changed: bool, around: Around) -> str:
    cause = around.cause
    if after.mute == Mute.SILENCED:
        return _silence_note(around) if before.mute != Mute.SILENCED else ""
    if after.mute == Mute.INHIBITED and cause is not None:
        return f"not paged: {cause.rule} is its cause ({cause.id})"
    if after.mute != Mute.NONE:
        return _BEGINS[Mute(after.mute)]
    if after.incident != before.incident and cause is not None:
        return f"belongs to the incident of {cause.rule} ({cause.id})"
    if changed:
        return _again(after) if after.state is State.FIRING else ""
    return _ENDS.get(Mute(before.mute), "")


def _again(alert: Alert) -> str:
    return "" if not alert.flaps else "it has come back" + (f", {alert.flaps} times of late" if alert.flaps > 1 else "")


def _silence_note(around: Around) -> str:
    return around.silenced if isinstance(around.silenced, str) else "silenced" if around.silenced else ""
