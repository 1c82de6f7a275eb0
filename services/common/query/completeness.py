"""How far an answer can be trusted: the moment up to which every event is in, by kind of event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.common.clock import to_ms
from services.common.store import StorePool

_WATERMARKS = "SELECT toString(kind) AS kind, min(watermark) AS watermark FROM ingest_progress FINAL GROUP BY kind"

KINDS = ("traffic", "orders", "coupons", "inventory", "spend")
"""The kinds of events, one a topic."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What was known when an answer was begun.

    `as_of_ms` is that moment. `watermarks` holds, by kind of event, the moment before which every record that Kafka
    held is in the tables or refused; a kind that ingest has not reported on is absent. All in epoch milliseconds.
    """

    as_of_ms: int
    watermarks: Mapping[str, int]

    def until(self, kinds: Iterable[str] = KINDS) -> int | None:
        """Up to here everything of these kinds is in; None while one of them is unknown."""
        found = [self.watermarks.get(kind) for kind in kinds]
        known = [moment for moment in found if moment is not None]
        return min(known) if known and len(known) == len(found) else None

    def covers(self, end_ms: int, kinds: Iterable[str] = KINDS) -> bool:
        """Nothing of these kinds can be missing before `end_ms`, which is not in the future."""
        until = self.until(kinds)
        return until is not None and end_ms <= min(until, self.as_of_ms)


async def read_completeness(pool: StorePool, now_ms: int) -> Completeness:
    """Must be read before the events that it is told with, so that it never claims more than they hold."""
    rows = await pool.query(_WATERMARKS)
    return Completeness(now_ms, {row["kind"]: to_ms(row["watermark"]) for row in rows})
