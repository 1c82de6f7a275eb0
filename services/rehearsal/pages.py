"""What the alerts service recorded during a rehearsal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.common.store import StorePool
from services.rehearsal.receiver import Notice
from services.rehearsal.scorecard import Page

_TRANSITIONS = """
SELECT
    alert_id,
    seq,
    toUnixTimestamp64Milli(alert_transitions.at) AS moment,
    state,
    rule,
    severity,
    campaign_id,
    labels,
    evidence,
    summary,
    notice
FROM alert_transitions
WHERE moment >= {from:Int64}
ORDER BY moment, alert_id, seq
"""

_TOLD = frozenset({"firing", "resolved"})


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Notices that were to be delivered, and how they arrived: each should have come once."""

    due: int
    once: int
    never: int
    again: int


async def read_transitions(pool: StorePool, since: int) -> list[Mapping[str, Any]]:
    """Every change of an alert from a moment on (epoch ms), in order. Raises `StoreError`."""
    return list(await pool.query(_TRANSITIONS, {"from": since}))


def pages(rows: Iterable[Mapping[str, Any]]) -> list[Page]:
    """Every notice that an alert fired, and the alerts that fired without one."""
    quiet: dict[str, Mapping[str, Any]] = {}
    told: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["notice"] == "firing":
            told.setdefault(row["alert_id"], []).append(row)
        elif row["state"] == "firing":
            quiet.setdefault(row["alert_id"], row)
    found = [_page(row, number) for notices in told.values() for number, row in enumerate(notices, start=1)]
    return found + [_page(row, 1, paged=False) for alert_id, row in quiet.items() if alert_id not in told]


def due(rows: Iterable[Mapping[str, Any]]) -> Counter[Notice]:
    """The notices that a webhook should have had."""
    return Counter(Notice(row["alert_id"], row["notice"]) for row in rows if row["notice"] in _TOLD)


def deliveries(rows: Sequence[Mapping[str, Any]], received: Counter[Notice]) -> Deliveries:
    """Holds what was received against what was to be delivered."""
    expected = due(rows)
    once = sum(received[notice] == count for notice, count in expected.items())
    never = sum(received[notice] < count for notice, count in expected.items())
    again = sum(count > expected[notice] for notice, count in received.items())
    return Deliveries(expected.total(), once, never, again)


def _page(row: Mapping[str, Any], number: int, *, paged: bool = True) -> Page:
    events = json.loads(row["evidence"]).get("events", ())
    return Page(
        row["alert_id"],
        row["rule"],
        row["campaign_id"],
        json.loads(row["labels"]),
        row["moment"],
        paged,
        row["severity"],
        row["summary"],
        number,
        frozenset(ref for _, ref, *_ in events),
    )
