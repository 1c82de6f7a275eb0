"""Who is told of a notice. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.receivers import Receiver as ReceiverEntry
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.sinks.base import ESCALATED, FIRING

DELIVERY_FAILURE = "delivery_failure"
"""The rule about receivers that cannot be told: everybody else is, whatever they asked for."""
_RANK = {"critical": 2, "warning": 1, "info": 0}


def route(receivers: Sequence[Receiver], notice: Transition) -> list[Receiver]:
    """Those who are to be told. Of an escalation they are those who are for it, or else all others.

    What follows an escalation (an acknowledgement, the end) is for those who were told of it: `after_escalation`.
    """
    if not notice.notice:
        return []
    able = [receiver for receiver in receivers if notice.notice in receiver.sink.takes]
    if notice.alert.rule == DELIVERY_FAILURE:
        return [r for r in able if r.name != notice.alert.labels.get("receiver") and not r.entry.escalation]
    fitting = [receiver for receiver in able if fits(receiver.entry, notice.alert)]
    if notice.notice == FIRING:
        return [receiver for receiver in fitting if not receiver.entry.escalation]
    if notice.notice == ESCALATED:
        return [receiver for receiver in fitting if receiver.entry.escalation] or fitting
    return fitting


def after_escalation(receiver: Receiver, notice: Transition) -> bool:
    """Whether the receiver is told of the notice only if it was told of the alert before."""
    return receiver.entry.escalation and notice.notice not in (FIRING, ESCALATED)


def fits(entry: ReceiverEntry, alert: Alert) -> bool:
    """Whether the receiver has asked for alerts like this one."""
    match = entry.match
    return (
        _RANK.get(alert.severity, 2) >= _RANK[entry.min_severity]
        and _among(alert.campaign_id, match.campaign)
        and _among(alert.owner, match.owner)
        and _among(alert.rule, match.rule)
        and all(_among(alert.labels.get(name, ""), values) for name, values in match.labels.items())
    )


def _among(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted
