"""Who is told when nobody takes an alert on: pure, time passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.alerts.alert import Alert, Transition
from services.alerts.lifecycle import State

DEFAULT_AFTER_MS: Mapping[str, int] = {"critical": 300_000}
"""By severity. What is not critical may wait until somebody looks."""
DEFAULT_TIMES = 3


@dataclass(frozen=True, slots=True)
class Escalation:
    """After how long without an acknowledgement, by severity (0: never), and how often at that distance."""

    after_ms: Mapping[str, int] = field(default_factory=lambda: DEFAULT_AFTER_MS)
    times: int = DEFAULT_TIMES


def escalate(alert: Alert, now: int, escalation: Escalation) -> Transition | None:
    """The escalation that is due, of an alert that fires, was paged, and is neither silenced nor about to end.

    One at a time: after an hour without this service there is one, and the next one a whole step later.
    """
    after = escalation.after_ms.get(alert.severity, 0)
    if not after or alert.state is not State.FIRING or not alert.notified or alert.told_at is None:
        return None
    if alert.mute or alert.life.clear_since is not None or alert.escalations >= escalation.times:
        return None
    if now - alert.told_at < after:
        return None
    count = alert.escalations + 1
    after_all = replace(alert, seq=alert.seq + 1, escalations=count, told_at=now)
    note = f"nobody has taken it on; told to those above ({count} of {escalation.times})"
    return Transition(after_all, now, note=note, notice="escalated")
