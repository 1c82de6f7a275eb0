"""A shop whose events stand in the real store, written second by second on a clock of its own.

The clock runs in another decade, so that what other tests leave in the store is long over.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from services.common.clock import to_datetime
from services.common.store import Store
from tests.support.rows import NOBODYS_PARTITION, insert_rows, money
from tests.support.store import fresh_campaign

_EPOCHS = itertools.count(1)
_HISTORY = 3600


class Shop:
    """One campaign. `rates` is traffic by channel in events a second; orders and refunds follow it."""

    def __init__(
        self, store: Store, rates: Mapping[str, float], *, seed: int = 1, items: int = 5, users: int = 97
    ) -> None:
        self.store = store
        self.rates = dict(rates)
        self.campaign = fresh_campaign("shop")
        self.users = users
        self.items = [f"sku-{n}" for n in range(items)]
        self.now = 1_900_000_000_000 + next(_EPOCHS) * 30 * 86_400_000
        self.stock: dict[str, int] = dict.fromkeys(self.items, 500)
        self.refund_burst: str | None = None
        self.factor: dict[str, float] = {}
        self.silent = False
        self.lagging = False
        self._random = np.random.default_rng(seed)
        self.serial = 0
        for table in ("ingest_progress", "dead_letters"):
            store.command(f"TRUNCATE TABLE {table}")

    def clock(self) -> int:
        return self.now

    def write_history(self, *, until: int = 5) -> None:
        """An hour of events, written at once, that ends `until` seconds ago."""
        start = self.now // 1000 - until - _HISTORY
        self._write(range(start, start + _HISTORY), arrived=self.now)
        self.report()

    def tick(self) -> None:
        """One second passes, and its events arrive."""
        self.now += 1000
        if not self.silent:
            self._write(range(self.now // 1000 - 1, self.now // 1000), arrived=self.now)
        if not self.lagging:
            self.report()

    def let_pass(self, seconds: int) -> None:
        """So many seconds pass, and their events are written at once, each as if it had come as it happened."""
        start = self.now // 1000
        self._write(range(start, start + seconds), arrived=None)
        self.now += seconds * 1000
        self.report()

    def report(self) -> None:
        """Ingest says that it has caught up."""
        self.store.command(
            "INSERT INTO ingest_progress VALUES ('campaign.traffic', 0, 'traffic', {o:UInt64}, {o:UInt64}, "
            "fromUnixTimestamp64Milli({t:Int64}), fromUnixTimestamp64Milli({t:Int64}))",
            {"o": self.serial, "t": self.now},
        )

    def set_stock(self, item: str, available: int, *, safety: int = -1, warehouse: str = "w1") -> None:
        """A stock level at this moment."""
        self.stock[item] = available
        row = self.common("stock_level", self.now / 1000, self.now) | {
            "item_id": item,
            "item_category": "unknown",
            "warehouse_id": warehouse,
            "available": available,
            "safety_stock": safety,
        }
        row.pop("user_id")
        insert_rows(self.store, "stock_events", [row])

    def _write(self, seconds: range, *, arrived: int | None) -> None:
        traffic, orders = [], []
        at_once = arrived
        for second in seconds:
            arrived = (second + 1) * 1000 if at_once is None else at_once
            for channel, rate in self.rates.items():
                for _ in range(self._random.poisson(rate * self.factor.get(channel, 1.0))):
                    moment = second + float(self._random.random())
                    traffic.append(self.common("page_view", moment, arrived) | {"channel": channel})
            total = sum(self.rates.values())
            paid = [self._item() for _ in range(self._random.poisson(total * 0.05))]
            orders += [self.order("order_paid", second, arrived, item) for item in paid]
            refunds = [self._item() for _ in range(self._random.poisson(total * 0.002))]
            if self.refund_burst is not None:
                refunds += [self.refund_burst] * 2
            orders += [self.order("order_refunded", second, arrived, item) for item in refunds]
        insert_rows(self.store, "traffic_events", traffic)
        insert_rows(self.store, "order_events", orders)

    def _item(self) -> str:
        return self.items[int(self._random.integers(len(self.items)))]

    def order(self, name: str, second: float, arrived: int, item: str) -> dict[str, Any]:
        moment = second + float(self._random.random())
        return self.common(name, moment, arrived) | {
            "order_id": f"o{self.serial}",
            "value": money(1000),
            "currency": "CNY",
            "original_value": money(1000),
            "line_item_id": [item],
            "line_item_category": ["unknown"],
            "line_quantity": [1],
            "line_amount": [money(1000)],
        }

    def common(self, name: str, moment: float, arrived: int) -> dict[str, Any]:
        self.serial += 1
        return {
            "arrived_at": _time(arrived),
            "kafka_partition": NOBODYS_PARTITION,
            "kafka_offset": self.serial,
            "event_id": f"e{self.serial}",
            "event_name": name,
            "event_time": _time(int(moment * 1000)),
            "campaign_id": self.campaign,
            "user_id": f"u{self.serial % self.users}",
            "channel": "app",
            "region": "unknown",
        }


def _time(ms: int) -> datetime:
    return to_datetime(ms)
