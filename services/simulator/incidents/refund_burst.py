"""`refund_burst` and `refund_channel`: many orders of one item, or of one channel, are refunded within a short time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.orders import Line, Order
from services.simulator.timeline import SECOND_MS, Timeline

logger = logging.getLogger(__name__)

_REFUNDS = 48
_PER_ITEM = 2


def refund_evenly(
    stage: Stage, timeline: Timeline, begun: Begun, refunds: Sequence[tuple[Order, Line]], reason: str
) -> int:
    """Spreads refunds over the incident; returns when the first happens."""
    step = begun.seconds * SECOND_MS / len(refunds)
    times = []
    for index, (order, line) in enumerate(refunds):
        times.append(begun.starts_ms + int(index * step + stage.rng.random() * step))
        stage.shop.refund(timeline, order, [line], reason, times[-1])
    return times[0]


def _begin_item(stage: Stage, timeline: Timeline, begun: Begun) -> Course | None:
    item_id = begun.options.get("item") or stage.shop.most_refundable()
    wanted = begun.count("count", _REFUNDS)
    chosen = stage.shop.refundable(item_id)[-wanted:] if item_id else []
    if item_id is None or not chosen:
        logger.warning("no refund burst: no order of the item has been paid yet")
        return None
    refunds = [(order, next(line for line in order.lines if line.item_id == item_id)) for order in chosen]
    first = refund_evenly(stage, timeline, begun, refunds, "quality_defect")
    return Course({"item_id": item_id}, {"refunds": len(refunds)}, onset=lambda: first)


def _begin_channel(stage: Stage, timeline: Timeline, begun: Begun) -> Course | None:
    channel = begun.channel(stage)
    found = stage.shop.refundable_on(channel, _PER_ITEM)
    refunds = stage.rng.sample(found, min(len(found), begun.count("count", _REFUNDS)))
    if not refunds:
        logger.warning("no refunds on a channel: no order of it has been paid yet")
        return None
    first = refund_evenly(stage, timeline, begun, refunds, "late_delivery")
    return Course({"channel": channel}, {"refunds": len(refunds)}, onset=lambda: first)


REFUND_BURST = Kind("refund_burst", "refund_anomaly", 40, _begin_item, frozenset({"item", "count"}))
REFUND_CHANNEL = Kind(
    "refund_channel",
    "refund_anomaly",
    120,
    _begin_channel,
    frozenset({"channel", "count"}),
    consequences=("roi_below_floor",),
)
