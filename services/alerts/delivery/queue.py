"""Which of the waiting notices go into the next message. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.alerts.alert import Transition
from services.alerts.delivery.sinks.base import OPENING

Key = tuple[str, int]
"""Names a notice: the alert's id and the transition's number."""
PATIENCE = 3
"""After so many attempts in vain a notice may itself be what the receiver fails at."""

_RANK = {"critical": 0, "warning": 1, "info": 2}


def key_of(notice: Transition) -> Key:
    """What names the notice."""
    return notice.alert.id, notice.alert.seq


def in_turn(waiting: Sequence[tuple[Transition, int]]) -> list[Transition]:
    """Whose turn it is, of notices with their attempts; at least one of `waiting`, which must not be empty.

    Alerts of which a notice failed `PATIENCE` times wait until all others are told, and then those go first that were
    tried least: one notice that a receiver cannot digest holds up none that it can.
    """
    tried: dict[str, int] = {}
    for notice, attempts in waiting:
        tried[notice.alert.id] = max(tried.get(notice.alert.id, 0), attempts)
    fresh = [notice for notice, _ in waiting if tried[notice.alert.id] < PATIENCE]
    return fresh or sorted((notice for notice, _ in waiting), key=lambda notice: tried[notice.alert.id])


def choose(
    waiting: Sequence[Transition], *, available: int, together: int, gathers: bool, alone: Collection[Key] = ()
) -> list[Transition]:
    """The notices of the next message, in their order; at least one of `waiting`, which must not be empty.

    While there is room for each (`available` messages), the oldest goes alone. Beyond that several share a message:
    what is wrong before what is over, the critical before the rest, and never a notice before an earlier one of the
    same alert. `gathers`: they always share. Notices in `alone` share with nobody: one that was refused in company.
    """
    if waiting[0].alert.id in {alert_id for alert_id, _ in alone}:
        return [waiting[0]]
    if gathers:
        return list(waiting[:together])
    if len(waiting) <= available:
        return [waiting[0]]
    by_alert: dict[str, list[Transition]] = {}
    for notice in waiting:
        by_alert.setdefault(notice.alert.id, []).append(notice)
    urgent = sorted(by_alert.values(), key=_urgency)
    if together == 1:
        return urgent[0][:1]
    chosen: list[Transition] = []
    for notices in urgent:
        chosen += notices[: together - len(chosen)]
    return chosen


def _urgency(notices: Sequence[Transition]) -> tuple[bool, int]:
    last = notices[-1]
    return last.notice not in OPENING, _RANK.get(last.alert.severity, 3)
