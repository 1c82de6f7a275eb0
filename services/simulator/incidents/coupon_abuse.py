"""`coupon_abuse`: one device claims coupons under ever new names, or everybody claims from a batch that leaked."""

from __future__ import annotations

from typing import Any

from services.simulator.coupons import BATCHES, Coupon
from services.simulator.incidents.customer import buy
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import SECOND_MS, Timeline
from services.simulator.world import REGIONS, stable_share

_BY = ("device", "batch", "user")
_CLAIMS = 90
_REDEEMED = 0.3
_LEAD_MS = 40_000


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    rng = stage.rng
    by = begun.options.get("by", _BY[begun.turn % len(_BY)])
    channel = begun.channel(stage)
    batch = BATCHES.values[-1]
    device_id, hand = timeline.next_id("d"), timeline.next_id("u")
    wanted = begun.count("count", _CLAIMS)
    span = max(SECOND_MS, begun.seconds * SECOND_MS - _LEAD_MS)
    dear = [item for item in stage.catalogue.items if item.price_cents >= batch.least_cents]
    claims: list[int] = []
    refs = []
    for number in range(wanted):
        at = begun.starts_ms + int((number + rng.random()) * span / wanted)
        user_id = hand if by == "user" else timeline.next_id("u")
        device = f"d-{user_id}" if by == "batch" else device_id
        holder = {
            "user_id": user_id,
            "channel": channel,
            "region": REGIONS.at(stable_share(user_id)),
            "device_id": device,
        }
        coupon = Coupon(timeline.next_id("c"), batch, holder, stage.currency)
        refs.append(coupon.coupon_id)
        coupon.plan(timeline, "coupon_issued", at)
        claims.append(at + rng.randrange(100, 800))
        coupon.plan(timeline, "coupon_claimed", claims[-1])
        if rng.random() < _REDEEMED and dear:
            # Sold on: somebody else orders, so that no one has improbably many orders.
            buyer = timeline.next_id("u")
            order, _ = buy(stage, timeline, at + 1_000, rng.choice(dear), user_id=buyer, channel=channel)
            coupon.redeem(timeline, order, at + _LEAD_MS - 2_000)
    details: dict[str, Any] = {"claims": wanted, "by": by, "batch_id": batch.batch_id}
    if by == "batch":
        return Course({"batch_id": batch.batch_id}, details, onset=lambda: min(claims))
    details |= {"device_id": device_id, "refs": refs}
    if by == "user":
        details["user_id"] = hand
    return Course({}, details, onset=lambda: min(claims))


COUPON_ABUSE = Kind(
    "coupon_abuse",
    "coupon_abuse",
    300,
    _begin,
    frozenset({"channel", "count", "by"}),
    consequences=("roi_below_floor",),
    by=_BY,
)
