"""How fast incidents were told of, taken on, and over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from services.review.period import parsed
from services.review.query import Answer


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause, with how long things took, in ms; None for what has not happened or nobody knows.

    All but `to_acknowledge` count from the onset (`starts_at`), as the pages do. `consequences` are the alerts that
    were put down to it.
    """

    alert: dict[str, Any]
    starts_ms: int
    ends_ms: int | None
    to_fire: int | None
    to_page: int | None
    to_acknowledge: int | None
    """From the first page, or where nobody was paged from the firing, to the acknowledgement."""
    consequences: int

    @property
    def to_resolve(self) -> int | None:
        """From the onset to the end."""
        return None if self.ends_ms is None else self.ends_ms - self.starts_ms

    @property
    def paged(self) -> bool:
        """Whether it reached somebody."""
        return self.to_page is not None


@dataclass(frozen=True, slots=True)
class Median:
    """The middle one of `of` durations in ms; None of none."""

    ms: float | None
    of: int


def incidents_of(alerts: Sequence[dict[str, Any]], details: dict[str, Answer]) -> list[Incident]:
    """The causes among alerts, in the order of time. One that was put down to a cause outside of the list stands for
    itself."""
    known = {alert["id"] for alert in alerts}
    followers: dict[str, int] = {}
    for alert in alerts:
        if alert["incident"] != alert["id"]:
            followers[alert["incident"]] = followers.get(alert["incident"], 0) + 1
    causes = [alert for alert in alerts if alert["incident"] == alert["id"] or alert["incident"] not in known]
    found = [_incident(alert, details.get(alert["id"]), followers.get(alert["id"], 0)) for alert in causes]
    return sorted(found, key=lambda incident: (incident.starts_ms, incident.alert["id"]))


def median_of(durations: Iterable[int | None]) -> Median:
    """Over those that are known."""
    known = [duration for duration in durations if duration is not None]
    return Median(median(known) if known else None, len(known))


def _incident(alert: dict[str, Any], detail: Answer | None, consequences: int) -> Incident:
    starts = parsed(alert["starts_at"]) or 0
    timeline: list[dict[str, Any]] = [] if detail is None else detail.body["timeline"]
    fired = min((at for line in timeline if line["state"] == "firing" and (at := parsed(line["at"]))), default=None)
    delivered = [
        at
        for line in timeline
        if line["state"] == "firing"
        for delivery in line.get("deliveries") or []
        if delivery["outcome"] == "delivered" and (at := parsed(delivery.get("at")))
    ]
    paged = min(delivered, default=None)
    taken = min(
        (at for line in timeline if line["state"] == "acknowledged" and (at := parsed(line["at"]))), default=None
    )
    told = paged if paged is not None else fired
    return Incident(
        alert=alert,
        starts_ms=starts,
        ends_ms=parsed(alert["ends_at"]),
        to_fire=None if fired is None else max(0, fired - starts),
        to_page=None if paged is None else max(0, paged - starts),
        to_acknowledge=None if taken is None or told is None else max(0, taken - told),
        consequences=consequences,
    )
