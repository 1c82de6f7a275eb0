"""The life of an order, and the memory of those that were paid."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from services.simulator.conditions import Conditions, Trouble
from services.simulator.stock import Stock
from services.simulator.timeline import SECOND_MS, Timeline, money

_REMEMBERED = 400
_RETRIES = 3
_LATER = 0.6
"""Share of those whose payment keeps failing who come back minutes later."""


class Line(NamedTuple):
    """One item of an order; the price is of one piece, in hundredths."""

    item_id: str
    category: str | None
    quantity: int
    price_cents: int


class Order:
    """What stays the same over an order's events. `value_cents` is what the customer is to pay."""

    __slots__ = ("alive", "channel", "fields", "lines", "order_id", "paid", "refunded", "value_cents")

    def __init__(
        self, order_id: str, *, value_cents: int, currency: str, lines: Sequence[Line], fields: dict[str, Any]
    ) -> None:
        self.order_id = order_id
        self.channel: str = fields["channel"]
        self.value_cents = value_cents
        self.lines = lines
        self.alive = True
        self.paid = False
        self.refunded = False
        self.fields = {
            **fields,
            "order_id": order_id,
            "value": money(value_cents),
            "currency": currency,
            "items": _items(lines),
        }


class Shop:
    """Lets orders happen, keeps stock in step with them, and remembers the latest paid ones of each item.

    With `refuse_sold_out` an order of an item that is sold out never comes to be, nor what would follow from it.
    """

    def __init__(
        self,
        stock: Stock,
        *,
        refuse_sold_out: bool,
        conditions: Conditions | None = None,
        seed: int = 0,
        remembered: int = _REMEMBERED,
    ) -> None:
        self.stock = stock
        self._refuse_sold_out = refuse_sold_out
        self._conditions = conditions or Conditions()
        self._rng = Random(f"shop/{seed}")
        self._paid: dict[str, deque[Order]] = defaultdict(lambda: deque(maxlen=remembered))

    def refundable(self, item_id: str) -> list[Order]:
        """Paid orders with this item that were not refunded, the latest last."""
        return [
            order
            for order in self._paid.get(item_id, ())
            if not order.refunded and any(line.item_id == item_id and line.price_cents > 0 for line in order.lines)
        ]

    def refundable_on(self, channel: str, per_item: int) -> list[tuple[Order, Line]]:
        """Paid orders of a channel that were not refunded, each with the line that may be; of an item so many at most,
        the latest."""
        chosen: dict[str, tuple[Order, Line]] = {}
        for item_id in sorted(self._paid):
            orders = [order for order in self.refundable(item_id) if order.channel == channel]
            for order in orders[-per_item:]:
                line = next(line for line in order.lines if line.item_id == item_id and line.price_cents > 0)
                chosen.setdefault(order.order_id, (order, line))
        return list(chosen.values())

    def most_refundable(self) -> str | None:
        """The item with the most paid orders at hand; None before any order was paid."""
        if not self._paid:
            return None
        return max(sorted(self._paid), key=lambda item_id: len(self.refundable(item_id)))

    def create(self, timeline: Timeline, order: Order, at_ms: int) -> None:
        """Plans `order_created`."""

        def check(due_ms: int) -> bool:
            trouble = self._conditions.checkout.get(order.channel)
            if self._refuse_sold_out and any(self.stock.is_sold_out(line.item_id) for line in order.lines):
                order.alive = False
            elif trouble is not None and trouble.strikes():
                order.alive = False
                trouble.shows(due_ms)
            return order.alive

        fields = {"event_name": "order_created", **order.fields}
        timeline.plan(at_ms, "orders", order.order_id, fields, check)

    def pay(
        self,
        timeline: Timeline,
        order: Order,
        at_ms: int,
        also: Callable[[int], None] = lambda _: None,
        attempt: int = 1,
    ) -> None:
        """Plans `order_paid`, and the stock that goes with it.

        While payments fail it becomes `payment_failed` and further attempts. `also` is called with the time of each
        attempt, to plan what happens only if the order is paid by then.
        """

        def settle(paid_ms: int) -> bool:
            if not order.alive:
                return False
            trouble = self._conditions.payments.get(order.channel)
            if trouble is not None and trouble.strikes():
                self._fail(timeline, order, paid_ms, also, attempt, trouble)
                return False
            order.paid = True
            for line in order.lines:
                self.stock.sell(timeline, line.item_id, line.quantity, paid_ms)
                self._paid[line.item_id].append(order)
            return True

        fields = {"event_name": "order_paid", **order.fields}
        timeline.plan(at_ms, "orders", order.order_id, fields, settle)
        also(at_ms)

    def _fail(
        self,
        timeline: Timeline,
        order: Order,
        at_ms: int,
        also: Callable[[int], None],
        attempt: int,
        trouble: Trouble,
    ) -> None:
        rng = self._rng
        # The customer hears of it a moment later.
        failed = at_ms + SECOND_MS + rng.randrange(2 * SECOND_MS)
        trouble.shows(failed)
        self.note(timeline, order, "payment_failed", "gateway_timeout", failed)
        if attempt < _RETRIES:
            self.pay(timeline, order, failed + rng.randrange(4, 20) * SECOND_MS, also, attempt + 1)
        elif attempt == _RETRIES and rng.random() < _LATER:
            self.pay(timeline, order, failed + rng.randrange(180, 900) * SECOND_MS, also, attempt + 1)
        else:
            self.note(timeline, order, "order_cancelled", "payment_failed", failed + rng.randrange(5, 60) * SECOND_MS)

    def note(self, timeline: Timeline, order: Order, name: str, reason: str, at_ms: int) -> None:
        """Plans `payment_failed` or `order_cancelled`."""
        fields = {"event_name": name, **order.fields, "reason": reason}
        timeline.plan(at_ms, "orders", order.order_id, fields, lambda _: order.alive)

    def refund(self, timeline: Timeline, order: Order, lines: Sequence[Line], reason: str, at_ms: int) -> None:
        """Plans `order_refunded` over some of the order's lines; an order is refunded once at most."""
        cents = min(order.value_cents, sum(line.quantity * line.price_cents for line in lines))
        fields = {
            "event_name": "order_refunded",
            **order.fields,
            "value": money(cents),
            "items": _items(lines),
            "reason": reason,
        }
        fields.pop("discount", None)

        def settle(_: int) -> bool:
            due = order.paid and not order.refunded
            order.refunded = order.refunded or due
            return due

        timeline.plan(at_ms, "orders", order.order_id, fields, settle)


def _items(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "item_id": line.item_id,
            "quantity": line.quantity,
            "price": money(line.price_cents),
            **({} if line.category is None else {"item_category": line.category}),
        }
        for line in lines
    ]
