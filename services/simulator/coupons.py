"""Coupons that a festival hands out: so much off above so much."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from services.simulator.orders import Order
from services.simulator.timeline import Timeline, money
from services.simulator.world import Weighted


@dataclass(frozen=True, slots=True)
class Batch:
    """A kind of coupon; amounts in hundredths."""

    batch_id: str
    face_cents: int
    least_cents: int


BATCHES: Weighted[Batch] = Weighted(
    {
        Batch("full-99-10", 1_000, 9_900): 0.5,
        Batch("full-300-40", 4_000, 30_000): 0.35,
        Batch("full-1000-120", 12_000, 100_000): 0.15,
    }
)


class Coupon:
    """One coupon in one person's hands."""

    __slots__ = ("_fields", "batch", "coupon_id")

    def __init__(self, coupon_id: str, batch: Batch, holder: dict[str, Any], currency: str) -> None:
        self.coupon_id = coupon_id
        self.batch = batch
        self._fields = {
            **holder,
            "coupon_id": coupon_id,
            "batch_id": batch.batch_id,
            "face_value": money(batch.face_cents),
            "currency": currency,
        }

    def plan(self, timeline: Timeline, name: str, at_ms: int) -> None:
        """Plans `coupon_issued`, `coupon_claimed` or `coupon_expired`."""
        timeline.plan(at_ms, "coupons", self.coupon_id, {"event_name": name, **self._fields})

    def redeem(self, timeline: Timeline, order: Order, at_ms: int) -> None:
        """Plans `coupon_redeemed`, which happens if its order is paid by then."""
        fields = {"event_name": "coupon_redeemed", **self._fields, "order_id": order.order_id}
        timeline.plan(at_ms, "coupons", self.coupon_id, fields, lambda _: order.paid)


def hand_out(timeline: Timeline, rng: Random, holder: dict[str, Any], currency: str, at_ms: int) -> Coupon:
    """Issues a coupon to someone who claims it a moment later."""
    coupon = Coupon(timeline.next_id("c"), BATCHES.draw(rng), holder, currency)
    coupon.plan(timeline, "coupon_issued", at_ms)
    coupon.plan(timeline, "coupon_claimed", at_ms + rng.randrange(300, 4_000))
    return coupon
