"""`refund_fraud`: a few people who bought over the hours before want money back for one order after another."""

from __future__ import annotations

import logging

from services.simulator.incidents.customer import buy
from services.simulator.incidents.kind import Begun, Course, Kind, Prepared, Stage
from services.simulator.orders import Order
from services.simulator.timeline import SECOND_MS, Timeline

logger = logging.getLogger(__name__)

_PEOPLE = 3
_ORDERS = 10
_SETTLED_MS = 90 * SECOND_MS


def _prepare(stage: Stage, timeline: Timeline, until_ms: int, options: dict[str, str]) -> Prepared:
    """Lets each of them buy now and then up to the incident."""
    rng = stage.rng
    orders = int(options.get("count", _ORDERS))
    span = max(SECOND_MS, until_ms - _SETTLED_MS - timeline.now_ms)
    made = []
    for person in range(_PEOPLE):
        user_id = timeline.next_id("u")
        for number in range(orders):
            at_ms = timeline.now_ms + int((number + rng.random()) * span / orders)
            channel = stage.channels[person % len(stage.channels)]
            order, _ = buy(stage, timeline, at_ms, stage.catalogue.draw(rng), user_id=user_id, channel=channel)
            made.append(order)
    return made


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course | None:
    people: dict[str, list[Order]] = {}
    for order in begun.prepared:
        if order.paid and not order.refunded:
            people.setdefault(order.fields["user_id"], []).append(order)
    if not people:
        logger.warning("no refund fraud: nobody's orders have been paid yet")
        return None
    # One person after another: each is done within its part of the incident.
    part = begun.seconds * SECOND_MS / len(people)
    times, refs = [], []
    for index, orders in enumerate(people.values()):
        for number, order in enumerate(orders):
            at = begun.starts_ms + int(part * (index + (number + stage.rng.random()) / len(orders)))
            stage.shop.refund(timeline, order, order.lines, "not_received", at)
            times.append(at)
            refs.append(order.order_id)
    details = {"user_ids": list(people), "refunds": len(times), "refs": refs}
    return Course({}, details, onset=lambda: min(times))


REFUND_FRAUD = Kind(
    "refund_fraud",
    "refund_abuse",
    240,
    _begin,
    frozenset({"count"}),
    # Ten orders of one channel that are sent back within half a minute are a burst of that channel, too.
    consequences=("refund_anomaly",),
    prepare=_prepare,
)
