"""The states of an alert as a pure machine: what is seen of a condition, at a time, moves it on.

(none) -> pending -> firing -> acknowledged -> resolved
             |          |_________________________^
             v
          (none)      a condition that did not last `for` leaves no alert
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class State(StrEnum):
    """What an alert is to the people who look at it."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


OPEN = (State.FIRING, State.ACKNOWLEDGED)


class Sighting(Enum):
    """What one look at a condition says.

    Between BREACH and CLEAR lies HOLDS: not bad enough to begin an alert, too bad to end one. UNKNOWN is a look
    that could not judge (ingest lags, say): it begins nothing and ends nothing.
    """

    BREACH = "breach"
    HOLDS = "holds"
    CLEAR = "clear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a condition must last to fire, and how long it must be gone to resolve, in milliseconds."""

    for_ms: int = 0
    keep_ms: int = 0


@dataclass(frozen=True, slots=True)
class Life:
    """Where an alert stands. All times are epoch milliseconds.

    `pending_at`: first BREACH of the unbroken row that leads here. `clear_since`: first CLEAR after the last bad
    look; None while the condition is bad.
    """

    state: State
    pending_at: int
    fired_at: int | None = None
    clear_since: int | None = None
    ends_at: int | None = None


def advance(life: Life | None, sighting: Sighting, now: int, pace: Pace) -> Life | None:
    """The life after one more look at `now`.

    None: no alert. A resolved life is final; looking further is the beginning of another.
    """
    if life is None or life.state is State.RESOLVED:
        if sighting is not Sighting.BREACH:
            return None
        return _promote(Life(State.PENDING, now), now, pace)
    if life.state is State.PENDING:
        return _promote(life, now, pace) if sighting is Sighting.BREACH else None
    return life if sighting is Sighting.UNKNOWN else _settle(life, sighting is Sighting.CLEAR, now, pace)


def _settle(life: Life, clear: bool, now: int, pace: Pace) -> Life:
    if not clear:
        return life if life.clear_since is None else replace(life, clear_since=None)
    since = now if life.clear_since is None else life.clear_since
    if now - since >= pace.keep_ms:
        return replace(life, state=State.RESOLVED, clear_since=since, ends_at=since)
    return replace(life, clear_since=since)


def _promote(life: Life, now: int, pace: Pace) -> Life:
    if now - life.pending_at >= pace.for_ms:
        return replace(life, state=State.FIRING, fired_at=now)
    return life
