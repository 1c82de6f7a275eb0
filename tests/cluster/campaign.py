"""A small campaign, seeded: some two thousand records of every kind with repeats among them, around a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.conformance.records import Record, record

CHANNELS = ("app", "web", "mini_program")
ITEMS = ("shoe", "hat", "scarf")
USERS = 400


class Campaign:
    """`records` in the order of sending; what `body` declares is from an hour before the moment to an hour after."""

    def __init__(self, campaign: str, moment: datetime, seed: int) -> None:
        self.id = campaign
        self.start = moment.replace(second=0, microsecond=0) - timedelta(hours=1)
        self.end = self.start + timedelta(hours=2)
        self.body = {
            "name": "Three shards",
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "gross_margin": 0.4,
            "budgets": {"app": "5000.00"},
        }
        self.records: list[Record] = []
        self._rng = Random(seed)
        self._serial = 0
        for user in range(USERS):
            self._visit(f"user-{user}")
        for _ in range(40):
            self._spend()
        for item in ITEMS:
            for warehouse in ("north", "south"):
                for minute in self._rng.sample(range(50), 3):
                    self.records.append(self.stock(item, self._rng.randrange(1, 500), minute, warehouse_id=warehouse))
        repeats = self._rng.sample(self.records, len(self.records) // 8)
        self._rng.shuffle(self.records)
        for repeat in repeats:
            self.records.insert(self._rng.randrange(len(self.records)), repeat)

    def event(self, name: str, minutes: float, **fields: Any) -> dict[str, Any]:
        """An event with an id of its own, so many minutes after the start."""
        self._serial += 1
        return {
            "event_id": f"e{self._serial}",
            "event_name": name,
            "event_time": (self.start + timedelta(minutes=minutes)).astimezone(UTC).isoformat(timespec="milliseconds"),
            "campaign_id": self.id,
            "region": self._rng.choice(("CN-31", "CN-44")),
            **fields,
        }

    def stock(self, item: str, available: int, minutes: float, **fields: Any) -> Record:
        """What is there of an item."""
        return record("inventory", self.event("stock_level", minutes, item_id=item, available=available, **fields))

    def _visit(self, user: str) -> None:
        rng, at = self._rng, self._rng.uniform(0, 50)
        home = {"user_id": user, "channel": rng.choice(CHANNELS)}
        steps = ("page_view", "view_item", "add_to_cart", "begin_checkout")[: rng.choice((1, 2, 3, 4, 4, 4))]
        thing = rng.choice(ITEMS)
        for step in steps:
            at += rng.uniform(0, 1)
            self._send("traffic", self.event(step, at, **home, session_id=f"s-{user}", item_id=thing))
        if rng.random() < 0.5:
            self._send(
                "coupons",
                self.event("coupon_claimed", at, **home, coupon_id=f"c-{user}", batch_id="b"),
            )
        if len(steps) < 4 and rng.random() < 0.7:
            return
        price, quantity = rng.choice(("19.90", "128.00", "0.01")), rng.randrange(1, 4)
        order = {
            **home,
            "order_id": f"o-{user}",
            "currency": "CNY",
            "value": f"{float(price) * quantity:.2f}",
            "new_customer": rng.random() < 0.3,
            "items": [{"item_id": thing, "quantity": quantity, "price": price}],
        }
        for name in ("order_created", "order_paid", "order_refunded")[: rng.choice((1, 2, 2, 2, 3))]:
            at += rng.uniform(0, 1)
            self._send("orders", self.event(name, at, **order))
        if rng.random() < 0.3:
            redeemed = self.event("coupon_redeemed", at, **home, coupon_id=f"c-{user}", batch_id="b")
            self._send("coupons", {**redeemed, "face_value": "5.00", "currency": "CNY"})

    def _spend(self) -> None:
        cost = f"{self._rng.randrange(1, 9_000) / 100:.2f}"
        fields = {
            "channel": self._rng.choice(CHANNELS),
            "cost": cost,
            "currency": "CNY",
            "impressions": 90,
            "clicks": 7,
        }
        self._send("spend", self.event("ad_spend", self._rng.uniform(0, 50), **fields))

    def _send(self, kind: str, event: dict[str, Any]) -> None:
        self.records.append(record(kind, event))
