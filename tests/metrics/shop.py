"""A small shop whose events collide on purpose: few buyers, few moments, orders paid and refunded twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.clock import to_ms
from services.common.store import Store
from tests.support.rows import insert_rows, money

START = datetime(2026, 11, 10, 22, tzinfo=UTC)
START_MS = to_ms(START)
SPAN_MS = 4 * 3_600_000

CHANNELS = ("app", "web", "unknown")
SOURCES = ("unknown", "feed", "search")
ITEMS = ("shoe", "hat")
ORDER_EVENTS = ("order_created", "order_paid", "order_paid", "order_refunded", "order_cancelled")

Event = dict[str, Any]


def moment(rng: random.Random) -> datetime:
    """One of some forty moments of the shop's four hours."""
    return START + timedelta(milliseconds=rng.randrange(40) * (SPAN_MS // 40) + rng.choice((0, 0, 1)))


def orders(rng: random.Random, campaign: str, number: int, buyers: int = 4) -> list[Event]:
    """Events of orders in no order of time."""
    made = []
    for n in range(number):
        items = [rng.choice(ITEMS) for _ in range(rng.choice((0, 1, 2, 3)))]
        made.append(
            {
                "event_id": f"o{rng.randrange(10**6)}-{n}",
                "event_name": rng.choice(ORDER_EVENTS),
                "event_time": moment(rng),
                "campaign_id": campaign,
                "user_id": f"u{rng.randrange(buyers)}",
                "order_id": f"order{rng.randrange(number)}",
                "device_id": rng.choice(("", "", "d1", "d2")),
                "channel": rng.choice(CHANNELS),
                "region": rng.choice(("CN-31", "CN-44")),
                "utm_source": rng.choice(SOURCES),
                "customer_type": rng.choice(("new", "returning", "unknown")),
                "value": money(rng.randrange(10_000)),
                "line_item_id": items,
                "line_item_category": ["clothes" for _ in items],
                "line_quantity": [rng.randrange(1, 4) for _ in items],
                "line_amount": [money(rng.randrange(5_000)) for _ in items],
            }
        )
    return made


def visits(rng: random.Random, campaign: str, number: int, visitors: int = 6) -> list[Event]:
    """Traffic in no order of time."""
    return [
        {
            "event_id": f"t{rng.randrange(10**6)}-{n}",
            "event_name": rng.choice(("page_view", "view_item", "add_to_cart")),
            "event_time": moment(rng),
            "campaign_id": campaign,
            "user_id": f"u{rng.randrange(visitors)}",
            "channel": rng.choice(CHANNELS),
            "region": "CN-31",
            "item_id": rng.choice((*ITEMS, "unknown")),
            "utm_source": rng.choice(SOURCES),
            "utm_medium": rng.choice(("", "", "cpc")),
            "utm_campaign": rng.choice(("", "", "warmup")),
            "experiment": rng.choice(("", "button", "price")),
            "variant": rng.choice(("", "A", "B", "C")),
        }
        for n in range(number)
    ]


def spend(rng: random.Random, campaign: str, number: int) -> list[Event]:
    """What was spent on ads."""
    return [
        {
            "event_id": f"s{rng.randrange(10**6)}-{n}",
            "event_name": "ad_spend",
            "event_time": moment(rng),
            "campaign_id": campaign,
            "channel": rng.choice(CHANNELS),
            "region": "CN-31",
            "utm_source": rng.choice(SOURCES),
            "cost": money(rng.randrange(5_000)),
            "impressions": rng.randrange(100),
            "clicks": rng.randrange(10),
        }
        for n in range(number)
    ]


def scatter(rng: random.Random, store: Store, table: str, events: Sequence[Event]) -> None:
    """Inserts the events in any order, in up to three batches."""
    shuffled = list(events)
    rng.shuffle(shuffled)
    cuts = sorted(rng.randrange(len(shuffled) + 1) for _ in range(2))
    for first, last in zip((0, *cuts), (*cuts, len(shuffled)), strict=True):
        insert_rows(store, table, shuffled[first:last])
