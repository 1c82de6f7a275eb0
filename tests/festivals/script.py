"""What happens at a festival, told event by event, before it becomes records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


@dataclass(frozen=True)
class Event:
    """One event: its topic, its moment in epoch milliseconds, and its fields but for id, time and campaign."""

    kind: str
    at_ms: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Festival:
    """A campaign, what happens at it, and the moment at which it is looked at."""

    name: str
    body: Mapping[str, Any]
    """Body of the `PUT` that declares it."""
    events: list[Event] = field(repr=False)
    now_ms: int
    rates: Mapping[str, str] = field(default_factory=dict)
    """Reporting units for one unit of each other currency."""


def moment(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def money(cents: int) -> str:
    """A decimal string of an amount in hundredths."""
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class Item:
    """Something on sale."""

    item_id: str
    category: str | None
    cents: int


def catalogue(rng: Random, prefix: str, count: int, categories: list[str | None]) -> list[Item]:
    """Items of prices from 5 to 500, each of a category."""
    return [Item(f"{prefix}-{number}", rng.choice(categories), rng.randrange(500, 50_000)) for number in range(count)]


class Script:
    """Collects the events of a festival that is looked at from `now_ms`; nothing happens after that."""

    def __init__(self, seed: int, now_ms: int) -> None:
        self.rng = Random(seed)
        self.now_ms = now_ms
        self.events: list[Event] = []
        self._orders = 0

    def tell(self, kind: str, name: str, at_ms: int, fields: Mapping[str, Any], **more: Any) -> None:
        """One event, unless its moment has not come."""
        if at_ms < self.now_ms:
            self.events.append(Event(kind, at_ms, {"event_name": name, **fields, **more}))

    def seen(self, name: str, at_ms: int, who: Mapping[str, Any], item: Item | None = None) -> None:
        """A traffic event, about an item or not."""
        about = {"item_id": item.item_id, "item_category": item.category} if item else {}
        self.tell("traffic", name, at_ms, who, **about)

    def browse(self, at_ms: int, who: Mapping[str, Any], items: list[Item], pace_ms: int = 40_000) -> int:
        """A visit that looks at items and puts some into the cart; returns when it ends."""
        rng = self.rng
        self.seen("page_view", at_ms, who)
        for item in items:
            # Steps of no length at all are part of life: clients send several at once.
            at_ms += rng.choice((0, 1, rng.randrange(pace_ms)))
            self.seen("view_item", at_ms, who, item)
            if rng.random() < 0.45:
                at_ms += rng.choice((0, rng.randrange(pace_ms)))
                self.seen("add_to_cart", at_ms, who, item)
        if rng.random() < 0.1:
            self.seen(rng.choice(("view_promotion", "select_promotion", "scroll", "video_start")), at_ms, who)
        return at_ms

    def order_id(self) -> str:
        """An id that no other order of this festival has."""
        self._orders += 1
        return f"o-{self._orders}"

    def lines(self, items: list[Item]) -> list[dict[str, Any]]:
        """Lines of an order; one without a category leaves the field out."""
        return [
            {
                "item_id": item.item_id,
                **({"item_category": item.category} if item.category else {}),
                "quantity": self.rng.choice((1, 1, 1, 2, 3)),
                "price": money(item.cents),
            }
            for item in items
        ]

    def worth(self, lines: list[dict[str, Any]]) -> int:
        """What the lines cost together, in hundredths."""
        return sum(line["quantity"] * round(float(line["price"]) * 100) for line in lines)

    def buy(
        self, at_ms: int, who: Mapping[str, Any], items: list[Item], *, currency: str = "CNY", **fields: Any
    ) -> tuple[str, int | None]:
        """Checks out and mostly pays; returns the order's id and when it was paid."""
        rng = self.rng
        self.seen("begin_checkout", at_ms, who)
        lines = self.lines(items)
        # Shipping is above the items, a discount below: neither belongs to an item.
        value = max(100, self.worth(lines) + rng.choice((0, 0, 1_000, -700)))
        order = {
            name: who[name] for name in ("user_id", "channel", "region", "utm_source") if who.get(name) is not None
        }
        order |= {"order_id": self.order_id(), "value": money(value), "currency": currency, **fields}
        if lines:
            order["items"] = lines
        at_ms += rng.choice((0, rng.randrange(30_000)))
        self.tell("orders", "order_created", at_ms, order)
        while rng.random() < 0.06:
            at_ms += rng.randrange(20_000)
            self.tell("orders", "payment_failed", at_ms, order, reason="card")
        if rng.random() < 0.12:
            self.tell("orders", "order_cancelled", at_ms + rng.randrange(HOUR), order)
            return order["order_id"], None
        at_ms += rng.choice((0, rng.randrange(90_000)))
        self.tell("orders", "order_paid", at_ms, order)
        if rng.random() < 0.08:
            self.refund(at_ms + rng.randrange(1, DAY), order, value)
        return order["order_id"], at_ms

    def refund(self, at_ms: int, order: Mapping[str, Any], cents: int) -> None:
        """All of an order or a part of it comes back, at times in two steps."""
        rng = self.rng
        if rng.random() < 0.5:
            self.tell("orders", "order_refunded", at_ms, order, reason="quality")
            return
        part = {name: order[name] for name in order if name != "items"}
        if order.get("items") and rng.random() < 0.7:
            part["items"] = order["items"][:1]
        first = rng.randrange(1, cents)
        self.tell("orders", "order_refunded", at_ms, part, value=money(first), reason="size")
        if rng.random() < 0.4:
            self.tell("orders", "order_refunded", at_ms + rng.randrange(HOUR), part, value=money(cents - first))

    def stock(self, start_ms: int, end_ms: int, items: list[Item], every_ms: int, warehouses: list[str | None]) -> None:
        """Levels that fall and are filled up again, each warehouse at its own moments."""
        rng = self.rng
        for item in items:
            for warehouse in warehouses:
                level = rng.randrange(20, 400)
                at_ms = start_ms + rng.randrange(every_ms)
                while at_ms < end_ms:
                    fields = {"item_id": item.item_id, "available": level, "item_category": item.category}
                    self.tell("inventory", "stock_level", at_ms, fields, warehouse_id=warehouse)
                    level = max(0, level - rng.randrange(0, 30)) or rng.choice((0, 300))
                    at_ms += rng.randrange(1, 2 * every_ms)

    def spend(self, start_ms: int, end_ms: int, channels: list[str | None], every_ms: int, **fields: Any) -> None:
        """What advertising costs: a report for each channel every so often, some without clicks or a source."""
        rng = self.rng
        for channel in channels:
            for at_ms in range(start_ms, end_ms, every_ms):
                clicks = rng.randrange(0, 60)
                report: dict[str, Any] = {"channel": channel, "cost": money(rng.randrange(5_000)), "currency": "CNY"}
                report["utm_source"] = rng.choice(("douyin", "weibo", None))
                if rng.random() < 0.8:
                    report |= {"clicks": clicks, "impressions": clicks * rng.randrange(8, 40)}
                self.tell("spend", "ad_spend", at_ms + rng.randrange(every_ms), {**report, **fields})
