"""How far an answer can be trusted: the moment up to which every event is in, by kind of event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.metrics import METRICS
from services.common.clock import to_datetime, to_ms
from services.common.store import ONE_THREAD, StorePool
from services.common.tabular import About, time_text

_WATERMARKS = (
    "SELECT toString(kind) AS kind, min(watermark) AS watermark FROM ingest_progress FINAL GROUP BY kind" + ONE_THREAD
)

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

    def fields(self, end_ms: int, kinds: Iterable[str] = KINDS) -> dict[str, Any]:
        """What an answer over a period up to `end_ms`, made of events of these kinds, says of itself in JSON."""
        behind = tuple(kinds)
        until = self.until(behind)
        return {
            "as_of": time_text(to_datetime(self.as_of_ms)),
            "watermark": None if until is None else time_text(to_datetime(until)),
            "watermarks": {
                kind: None if (at := self.watermarks.get(kind)) is None else time_text(to_datetime(at))
                for kind in KINDS
            },
            "complete": self.covers(end_ms, behind),
        }

    def about(self, end_ms: int, kinds: Iterable[str] = KINDS) -> About:
        """The same for a table, whose forms other than JSON say it in headers and metadata.

        There an unknown watermark is an empty text.
        """
        fields = self.fields(end_ms, kinds)
        return About(
            fields,
            {
                "Warroom-As-Of": fields["as_of"],
                "Warroom-Watermark": fields["watermark"] or "",
                "Warroom-Complete": "true" if fields["complete"] else "false",
            },
        )


def kinds_behind(metrics: Iterable[str], dimensions: Iterable[str] = ()) -> frozenset[str]:
    """The kinds of events that these metrics are made of in an answer by or filtered by the dimensions.

    Metrics that lack one of the dimensions are null there whatever arrives, and hold nothing up.
    """
    names = tuple(metrics)
    asked = frozenset(dimensions)
    defined = [name for name in names if asked <= set(METRICS[name].dimensions)]
    return frozenset(kind.value for name in defined or names for kind in METRICS[name].kinds)


async def read_completeness(pool: StorePool, now_ms: int) -> Completeness:
    """Must be read before the events that it is told with, so that it never claims more than they hold."""
    rows = await pool.query(_WATERMARKS)
    # At 0 ingest claims nothing yet for one of the partitions.
    return Completeness(now_ms, {row["kind"]: at for row in rows if (at := to_ms(row["watermark"]))})
