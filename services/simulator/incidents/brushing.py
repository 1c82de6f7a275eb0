"""`brushing`: one account, or many accounts on one device, make improbably many cheap orders and pay them at once."""

from __future__ import annotations

from typing import Any

from services.simulator.incidents.customer import buy
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import SECOND_MS, Timeline

_BY = ("user", "device")
_ORDERS = 40
_CHEAPEST = 10
_LEAD_MS = 40_000
"""What an order takes at the longest from the first page to payment."""


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    rng = stage.rng
    channel = begun.channel(stage)
    by_user = begun.options.get("by", _BY[begun.turn % len(_BY)]) == "user"
    device_id = timeline.next_id("d")
    hand = timeline.next_id("u")
    cheap = sorted(stage.catalogue.items, key=lambda item: (item.price_cents, item.item_id))[:_CHEAPEST]
    wanted = begun.count("count", _ORDERS)
    span = max(SECOND_MS, (begun.seconds * SECOND_MS) - _LEAD_MS)
    made, refs = [], []
    for number in range(wanted):
        at = begun.starts_ms + int((number + rng.random()) * span / wanted)
        user_id = hand if by_user else timeline.next_id("u")
        item = rng.choice(cheap)
        order, created = buy(stage, timeline, at, item, user_id=user_id, channel=channel, device_id=device_id)
        made.append(created)
        refs.append(order.order_id)
    details: dict[str, Any] = {
        "device_id": device_id,
        "orders": wanted,
        "by": "user" if by_user else "device",
        "refs": refs,
    }
    if by_user:
        details["user_id"] = hand
    return Course({}, details, onset=lambda: min(made))


BRUSHING = Kind(
    "brushing",
    "order_brushing",
    300,
    _begin,
    frozenset({"channel", "count", "by"}),
    by=_BY,
)
