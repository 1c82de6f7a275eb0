"""The festival's public: who comes when, and how far each one gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from services.simulator.catalogue import Catalogue, Item
from services.simulator.conditions import Conditions
from services.simulator.coupons import Coupon, hand_out
from services.simulator.orders import Line, Order, Shop
from services.simulator.timeline import SECOND_MS, Timeline, money
from services.simulator.visits import Visit

EVENTS_PER_VISIT = 4.3
"""Events that a visit brings about in the mean, orders, coupons and stock included (measured)."""
ORDERS_PER_VISIT = 0.082
"""Orders created per visit in the mean (measured)."""
LINES_PER_ORDER = 1.43
PIECES_PER_LINE = 1.29

_SHIPPING_CENTS = 800
_FREE_SHIPPING_CENTS = 9_900


class Crowd:
    """Visitors by channel. With a shop they buy; without one they fill the cart and think better of it.

    `customers` is how many people are known and come back; the others come once and are new. `wave` is how many
    times the usual number a planned sale brings to a channel; marketing pays for the usual ones.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        shop: Shop | None,
        *,
        seed: int,
        channels: Mapping[str, float],
        visits_per_second: float,
        intensity: Callable[[int], float],
        customers: int,
        currency: str = "CNY",
        wave: Callable[[str, int], float] = lambda _channel, _at: 1.0,
        conditions: Conditions | None = None,
    ) -> None:
        self._wave = wave
        self._conditions = conditions or Conditions()
        self._catalogue = catalogue
        self._shop = shop
        self._rng = Random(f"crowd/{seed}")
        self._channels = channels
        self._rate = visits_per_second
        self._intensity = intensity
        self._customers = customers
        self._currency = currency
        # A visit comes when a whole one is owed: steadier than chance, and as many in the end. The channels
        # begin apart, so that they do not come in step.
        self._owed = {channel: self._rng.random() for channel in channels}

    def tick(self, timeline: Timeline) -> None:
        """Lets in whoever comes in this second."""
        rate = self._rate * self._intensity(timeline.now_ms)
        for channel, share in self._channels.items():
            wave = self._wave(channel, timeline.now_ms)
            owed = self._owed[channel] + rate * share * wave * (1 - self._conditions.away.get(channel, 0.0))
            while owed >= 1:
                owed -= 1
                timeline.visits[channel] += 1 / wave
                self._visit(timeline, channel, timeline.now_ms + self._rng.randrange(SECOND_MS))
            self._owed[channel] = owed

    def _visit(self, timeline: Timeline, channel: str, at_ms: int) -> None:
        rng = self._rng
        is_new = rng.random() < 0.4
        user_id = timeline.next_id("v") if is_new else f"u-{rng.randrange(self._customers):06d}"
        visit = Visit(timeline, rng, user_id, channel, at_ms)
        visit.page("/")
        if rng.random() < 0.25:
            visit.wait(2_000)
            visit.step("view_promotion")
            if rng.random() < 0.4:
                visit.wait(2_000)
                visit.step("select_promotion")
        coupon = None
        if self._shop is not None and rng.random() < 0.12:
            at = visit.wait(3_000)
            holder = {**visit.base, "device_id": f"d-{user_id}"}
            coupon = hand_out(timeline, rng, holder, self._currency, at)
        seen: list[Item] = []
        while rng.random() < (0.8 if not seen else 0.5) and len(seen) < 8:
            visit.wait(8_000)
            if rng.random() < 0.3:
                visit.page("/search")
                visit.wait(4_000)
            item = self._look()
            seen.append(item)
            visit.item("view_item", item)
        order = None
        if seen and rng.random() < 0.22:
            order = self._buy(timeline, visit, seen, coupon, is_new)
        if coupon is not None and order is None and rng.random() < 0.5:
            coupon.plan(timeline, "coupon_expired", visit.at_ms + rng.randrange(600_000, 3_600_000))

    def _look(self) -> Item:
        viral = self._conditions.viral
        if viral is not None and self._rng.random() < viral[1]:
            return viral[0]
        return self._catalogue.draw(self._rng)

    def _buy(
        self, timeline: Timeline, visit: Visit, seen: list[Item], coupon: Coupon | None, is_new: bool
    ) -> Order | None:
        rng = self._rng
        chosen = {item.item_id: item for item in seen if rng.random() < 0.6} or {seen[-1].item_id: seen[-1]}
        for item in chosen.values():
            visit.wait(5_000)
            visit.item("add_to_cart", item)
        if rng.random() > (0.6 if self._shop else 0.25):
            return None
        visit.wait(6_000)
        visit.step("begin_checkout")
        if self._shop is None or rng.random() > 0.8:
            return None
        order, used = self._order(timeline, visit, list(chosen.values()), coupon, is_new)
        created = visit.wait(7_000)
        if visit.base["channel"] in self._conditions.prices:
            self._conditions.prices[visit.base["channel"]].shows(created)
        self._shop.create(timeline, order, created)
        self._settle(timeline, order, used, created)
        return order if used else None

    def _order(
        self, timeline: Timeline, visit: Visit, items: list[Item], coupon: Coupon | None, is_new: bool
    ) -> tuple[Order, Coupon | None]:
        rng = self._rng
        markup = self._conditions.prices.get(visit.base["channel"])
        price = 1.0 if markup is None else markup.factor
        lines = [
            Line(
                item.item_id,
                item.category,
                1 if rng.random() < 0.8 else rng.randrange(2, 4),
                max(1, round(item.price_cents * price)),
            )
            for item in items
        ]
        goods = sum(line.quantity * line.price_cents for line in lines)
        used = coupon if coupon is not None and goods >= coupon.batch.least_cents else None
        shipping = 0 if goods >= _FREE_SHIPPING_CENTS * price else _SHIPPING_CENTS
        discount = used.batch.face_cents if used else 0
        fields = {
            **visit.base,
            "new_customer": is_new,
            "utm_source": visit.source,
            "device_id": f"d-{visit.base['user_id']}",
        }
        if used:
            fields |= {"coupon_id": used.coupon_id, "discount": money(discount)}
        if visit.base["channel"] == "store":
            fields["store_id"] = f"store-{rng.randrange(1, 41):02d}"
        order = Order(
            timeline.next_id("o"),
            value_cents=goods - discount + shipping,
            currency=self._currency,
            lines=lines,
            fields=fields,
        )
        return order, used

    def _settle(self, timeline: Timeline, order: Order, coupon: Coupon | None, created: int) -> None:
        assert self._shop is not None
        rng, shop = self._rng, self._shop
        at = created + rng.randrange(2_000, 20_000)
        luck = rng.random()
        if luck >= 0.95:
            shop.note(timeline, order, "order_cancelled", "changed_mind", at + rng.randrange(10_000, 300_000))
            return
        if luck >= 0.90:
            shop.note(timeline, order, "payment_failed", "insufficient_funds", at)
            at += rng.randrange(8_000, 40_000)
            if luck >= 0.93:
                shop.note(timeline, order, "order_cancelled", "payment_failed", at)
                return

        def redeem(paid_ms: int) -> None:
            if coupon is not None:
                coupon.redeem(timeline, order, paid_ms)

        shop.pay(timeline, order, at, redeem)
        if rng.random() < 0.03:
            line = order.lines[rng.randrange(len(order.lines))]
            reason = rng.choice(("size", "changed_mind", "late_delivery"))
            shop.refund(timeline, order, [line], reason, at + rng.randrange(120_000, 1_800_000))
