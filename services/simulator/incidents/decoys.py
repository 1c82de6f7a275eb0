"""What looks unusual and must not page: an item that everybody wants, a few refunds, a big family, late events."""

from __future__ import annotations

import logging

from services.simulator.conditions import Trouble
from services.simulator.incidents.customer import buy
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.incidents.refund_burst import refund_evenly
from services.simulator.timeline import SECOND_MS, Timeline

logger = logging.getLogger(__name__)

_VIRAL_SHARE = 0.15
_VIRAL_RANK = 30
_LATE_SHARE = 0.2
_LATE_MS = (60_000, 300_000)
_FAMILY_ORDERS = 5
_BUMP = 3


def _viral(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    """An item is looked at, and bought, many times as often as usual."""
    item = stage.catalogue.items[min(_VIRAL_RANK + begun.turn, len(stage.catalogue.items) - 1)]
    share = begun.number("share", _VIRAL_SHARE)
    stage.conditions.viral = (item, share)

    def end(_: Timeline) -> None:
        stage.conditions.viral = None

    return Course({"item_id": item.item_id}, {"share": share}, end=end)


def _bump(stage: Stage, timeline: Timeline, begun: Begun) -> Course | None:
    """A few refunds of one item, too few for anything to be wrong with it."""
    item_id = stage.shop.most_refundable()
    chosen = stage.shop.refundable(item_id)[-begun.count("count", _BUMP) :] if item_id else []
    if not chosen:
        logger.warning("no refunds: no order has been paid yet")
        return None
    refunds = [(order, next(line for line in order.lines if line.item_id == item_id)) for order in chosen]
    refund_evenly(stage, timeline, begun, refunds, "size")
    return Course({"item_id": str(item_id)}, {"refunds": len(refunds)})


def _family(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    """A big family orders several times on one device."""
    rng, channel = stage.rng, begun.channel(stage)
    device_id, user_id = timeline.next_id("d"), timeline.next_id("u")
    orders = begun.count("count", _FAMILY_ORDERS)
    for number in range(orders):
        at = begun.starts_ms + int((number + rng.random()) * begun.seconds * SECOND_MS / orders)
        buy(
            stage, timeline, at, stage.catalogue.draw(rng),
            user_id=user_id, channel=channel, device_id=device_id,
        )  # fmt: skip
    return Course({"channel": channel}, {"orders": orders, "device_id": device_id, "user_id": user_id})


def _late(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    """A share of the events arrives minutes late."""
    trouble = Trouble(begun.number("share", _LATE_SHARE), stage.rng)
    stage.conditions.late = (trouble, *_LATE_MS)

    def end(_: Timeline) -> None:
        stage.conditions.late = None

    return Course({}, {"share": trouble.share, "most_seconds": _LATE_MS[1] // 1000}, end=end)


VIRAL = Kind("viral", "", 600, _viral, frozenset({"share"}), needs_crowd=True)
REFUND_BUMP = Kind("refund_bump", "", 180, _bump, frozenset({"count"}))
FAMILY = Kind("family", "", 1200, _family, frozenset({"channel", "count"}))
LATE = Kind("late", "", 300, _late, frozenset({"share"}))
