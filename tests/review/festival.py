"""A small festival and the one before it, as plain events and in the store."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.common.clock import to_ms
from services.common.store import Store
from tests.support.rows import insert_rows, money

# In a year that no other test speaks of: alerts of the pipeline concern every campaign of their time.
START = datetime(2033, 5, 10, 12, tzinfo=UTC)
HOURS = 4
END = START + timedelta(hours=HOURS)
YEAR = timedelta(days=364)
NOW = END + timedelta(hours=30)
CHANNELS = ("app", "live", "web", "unknown")
ITEMS = {"shoe": 19_900, "hat": 4_950, "scarf": 2_999}
WAY = ("view_item", "add_to_cart", "begin_checkout")

Event = dict[str, Any]


@dataclass
class Festival:
    """The events of a campaign, each kind apart."""

    campaign: str
    start: datetime
    traffic: list[Event] = field(default_factory=list)
    orders: list[Event] = field(default_factory=list)
    spend: list[Event] = field(default_factory=list)

    def store(self, store: Store) -> None:
        insert_rows(store, "traffic_events", self.traffic)
        insert_rows(store, "order_events", self.orders)
        insert_rows(store, "spend_events", self.spend)

    def total(self, name: str, *, channel: str | None = None, since: datetime | None = None) -> Decimal:
        """The sum of `value` over the order events of that name, within the campaign's hours or since a moment."""
        end = self.start + timedelta(hours=HOURS)
        return sum(
            (
                event["value"]
                for event in self.orders
                if event["event_name"] == name
                and (event["event_time"] >= since if since else event["event_time"] < end)
                and channel in (None, event["channel"])
            ),
            Decimal(0),
        )


def festival(campaign: str, *, start: datetime = START, visitors: int = 160, seed: int = 1) -> Festival:
    """Visitors who look and sometimes buy, more of them towards the end; refunds also after it."""
    rng = random.Random(seed)
    made = Festival(campaign, start)
    for number in range(visitors):
        user, channel = f"u{rng.randrange(visitors * 3 // 4)}", rng.choice(CHANNELS)
        at = start + timedelta(seconds=round(HOURS * 3600 * rng.random() ** 0.6 * 0.95))
        item = rng.choice(list(ITEMS))
        for step, name in enumerate(WAY[: 1 + rng.choice((0, 1, 2, 2))]):
            moment = at + timedelta(seconds=20 * step)
            made.traffic.append(
                _event(f"{campaign}-t{number}-{step}", name, moment, made, user, channel)
                | {"item_id": item, "utm_source": "feed"}
            )
        if rng.random() < 0.55:
            _order(made, rng, number, at + timedelta(seconds=90), user, channel, item)
    for hour in range(HOURS):
        for channel in CHANNELS[:3]:
            made.spend.append(
                {
                    "event_id": f"{campaign}-s{hour}-{channel}",
                    "event_name": "ad_spend",
                    "event_time": start + timedelta(hours=hour, minutes=1),
                    "campaign_id": campaign,
                    "channel": channel,
                    "region": "CN-31",
                    "utm_source": "feed",
                    "cost": money(rng.randrange(10_000, 90_000)),
                    "impressions": rng.randrange(1000),
                    "clicks": rng.randrange(100),
                }
            )
    return made


def _order(made: Festival, rng: random.Random, number: int, at: datetime, user: str, channel: str, item: str) -> None:
    quantity = rng.choice((1, 1, 2))
    value = money(ITEMS[item] * quantity + rng.randrange(100))

    def order(name: str, moment: datetime, amount: Decimal) -> Event:
        return _event(f"{made.campaign}-{name}-{number}", name, moment, made, user, channel) | {
            "order_id": f"{made.campaign}-{number}",
            "customer_type": "new" if hash_of(user) % 3 == 0 else "returning",
            "value": amount,
            "line_item_id": [item],
            "line_item_category": ["clothes"],
            "line_quantity": [quantity],
            "line_amount": [money(ITEMS[item] * quantity)],
        }

    made.orders.append(order("order_created", at, value))
    if rng.random() < 0.8:
        made.orders.append(order("order_paid", at + timedelta(seconds=30), value))
        if rng.random() < 0.25:
            late = timedelta(hours=rng.choice((1, 20)))
            made.orders.append(order("order_refunded", at + late, value))


def hash_of(user: str) -> int:
    """The same in every run."""
    return int(user[1:])


def _event(event_id: str, name: str, at: datetime, made: Festival, user: str, channel: str) -> Event:
    return {
        "event_id": event_id,
        "event_name": name,
        "event_time": at,
        "campaign_id": made.campaign,
        "user_id": user,
        "channel": channel,
        "region": "CN-31",
    }


def declared(baseline: str | None, **more: Any) -> dict[str, Any]:
    """The body of `PUT` for the festival."""
    half = START + timedelta(hours=HOURS / 2)
    return {
        "name": "Spring & <Summer> | *sale*",
        "start": START.isoformat(),
        "end": END.isoformat(),
        "timezone": "Asia/Shanghai",
        "gross_margin": "0.35",
        "phases": [
            {"name": "warm/up ~1", "start": START.isoformat(), "end": half.isoformat()},
            {"name": "爆发期", "start": half.isoformat(), "end": END.isoformat()},
        ],
        "targets": {
            "total": {"gmv": "9000.00", "uv": 110, "orders_paid": 70, "conversion_rate": "0.5"},
            "phases": {"爆发期": {"gmv": "8000.00"}, "warm/up ~1": {"gmv": "900.00"}},
        },
        "budgets": {"app": "1500.00", "live": "500.00", "tv": "100.00"},
        "calendar": [{"name": "直播 <i>live</i>", "start": (START + timedelta(hours=1)).isoformat()}],
        "baseline_campaign_id": baseline,
        **more,
    }


def ms(moment: datetime) -> int:
    return to_ms(moment)
