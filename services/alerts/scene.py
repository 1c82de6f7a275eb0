"""What the detectors look at: one moment of the pipeline and of each campaign, read from the store beforehand.

All times are epoch milliseconds unless a name says seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.alerts.delivery.health import ReceiverState
from services.alerts.history import History
from services.alerts.plan import Plan, PlannedPhase
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.seconds import Seconds, SecondsReading
from services.alerts.readings.suspects import Batches, BatchSearch, Search, Suspicion
from services.alerts.series import Series

PIPELINE = "*"
"""The `campaign_id` of an alert about the pipeline: it concerns every campaign, and no campaign can be named so."""

OVER_MS = 2 * 3_600_000
"""A campaign without an end that has had no event for so long is over."""


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of events of a campaign."""

    events: int
    first_event: int
    last_event: int
    last_arrival: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """An item's stock, summed over its warehouses.

    `safety_stock` is None when no warehouse declares one. `confirmed` is False for a level that lies too far back to
    have been judged by a single look: while history is being written, a later level may still come. `falling`: it was
    seen to fall within the last quarter of an hour, and has not risen since.
    """

    available: int
    safety_stock: int | None
    confirmed: bool
    warehouses: Mapping[str, int]
    falling: bool = False


@dataclass(frozen=True, slots=True)
class Sold:
    """What was paid of an item over the last `seconds`: pieces, their amount in the reporting currency, and orders.

    `busiest` counts the orders of its busiest minute that is over, `present` those of the last `present_seconds`, the
    minute that is not over.
    """

    units: int
    amount: float
    seconds: int
    orders: int = 0
    busiest: int = 0
    present: int = 0
    present_seconds: int = 0


class Refund(NamedTuple):
    """So many orders of a channel, with these items, that were refunded in a second since the epoch."""

    second: int
    channel: str
    items: tuple[str, ...]
    orders: int


def refunds_by_item(refunds: Sequence[Refund]) -> dict[str, list[tuple[int, int]]]:
    """(second, count) points of each item; an order counts once for each of its items."""
    counts: dict[str, dict[int, int]] = {}
    for refund in refunds:
        for item in refund.items:
            points = counts.setdefault(item, {})
            points[refund.second] = points.get(refund.second, 0) + refund.orders
    return {item: sorted(points.items()) for item, points in counts.items()}


@dataclass(frozen=True, slots=True)
class CampaignScene:
    """One campaign at one moment.

    `recent` holds traffic by channel by second for the last minutes, `recent_paid` the paid orders likewise,
    `recent_all` every event of the pulse (traffic and orders), `recent_refunds` (second, count) points by item, and
    `refunds` the same with channel and items together; `sold` is what each item sold in the last quarter of an
    hour, `history` the hour before. `live_seconds`: for how long, of the minute before the last event,
    events arrived as they happened; None when it was not asked for.
    """

    campaign_id: str
    now: int
    watermark: int
    activity: Mapping[str, Activity]
    end: int | None
    recent: Mapping[str, Series]
    recent_all: Series
    recent_refunds: Mapping[str, Sequence[tuple[int, int]]]
    history: History
    stock: Mapping[str, StockLevel]
    live_seconds: int | None = None
    recent_paid: Mapping[str, Series] = field(default_factory=dict)
    sold: Mapping[str, Sold] = field(default_factory=dict)
    plan: Plan | None = None
    readings: Mapping[Ask, Reading] = field(default_factory=dict)
    curves: Mapping[Curve, CurveReading] = field(default_factory=dict)
    refunds: Sequence[Refund] = ()
    seconds: Mapping[Seconds, SecondsReading] = field(default_factory=dict)
    suspects: Mapping[Search, Suspicion] = field(default_factory=dict)
    batches: Mapping[BatchSearch, Batches] = field(default_factory=dict)

    @property
    def phase(self) -> PlannedPhase | None:
        """The phase of this moment."""
        return None if self.plan is None else self.plan.phase_at(self.now)

    @property
    def last_event(self) -> int:
        """The newest event_time of any kind; 0 without events."""
        return max((kind.last_event for kind in self.activity.values()), default=0)

    @property
    def last_arrival(self) -> int:
        """When an event of any kind last arrived; 0 without events."""
        return max((kind.last_arrival for kind in self.activity.values()), default=0)

    @property
    def writing_history(self) -> bool:
        """Whether events of long ago are arriving, so that the history is not yet what it will be."""
        return self.now < self.history.writing_until

    @property
    def over(self) -> bool:
        """Whether the campaign's declared end has passed, or nothing has come for hours: nothing is wrong with it."""
        return (self.end is not None and self.now >= self.end) or self.now - self.last_event > OVER_MS

    def live(self, within_ms: int = 30_000) -> bool:
        """Whether the newest event is of these moments: neither silence nor the writing of history."""
        # An event of a clock that runs ahead says nothing of the present.
        return self.now - min(self.last_event, self.last_arrival) <= within_ms


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """How far ingest has come in one partition."""

    topic: str
    partition: int
    next_offset: int
    end_offset: int
    watermark: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class PipelineScene:
    """The way from Kafka to the store at one moment.

    `refused` counts dead letters by topic over `refused_seconds`; `consumed` all records by topic over the same
    time, where the service has watched for so long. `deliveries`: how the receivers of alerts are doing.
    """

    now: int
    watching_since: int
    progress: Sequence[PartitionProgress]
    refused: Mapping[str, int]
    refused_seconds: int
    consumed: Mapping[str, int] | None
    deliveries: Sequence[ReceiverState] = ()

    @property
    def watermark(self) -> int | None:
        """Every record that Kafka held before it is in the store. None before ingest has first reported."""
        return min((part.watermark for part in self.progress), default=None)

    def caught_up(self, within_ms: int) -> bool:
        """Whether the store is complete to within so much of now: only then do absent events mean anything."""
        watermark = self.watermark
        return watermark is not None and self.now - watermark <= within_ms


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything at one moment."""

    now: int
    pipeline: PipelineScene
    campaigns: Mapping[str, CampaignScene]
