"""One customer who tries, or is paid back, several times is one customer; and one wrong clock is one wrong clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from services.alerts import queries
from services.alerts.readings.seconds import Seconds, read_seconds
from services.alerts.service import AlertsService
from services.common.clock import to_datetime
from services.common.settings import Settings
from services.common.store import Store, StorePool
from tests.alerts.shop import Shop
from tests.support.rows import NOBODYS_PARTITION, insert_rows, money
from tests.support.store import fresh_campaign

NOW = 1_960_000_000_000


@pytest.fixture
def pool(store: Store) -> Iterator[StorePool]:
    pool = StorePool(store, threads=1, name="customers")
    yield pool
    asyncio.run(pool.close())


def _orders(store: Store, campaign: str, told: list[tuple[str, str, int]]) -> None:
    """(event, order, seconds ago) on one channel, of one item."""
    rows: list[dict[str, Any]] = [
        {
            "arrived_at": to_datetime(NOW),
            "kafka_partition": NOBODYS_PARTITION,
            "kafka_offset": number,
            "event_id": f"{campaign}-{number}",
            "event_name": name,
            "event_time": to_datetime(NOW - ago * 1000),
            "campaign_id": campaign,
            "user_id": order,
            "channel": "app",
            "region": "unknown",
            "order_id": order,
            "value": money(1000),
            "currency": "CNY",
            "original_value": money(1000),
            "line_item_id": ["sku"],
            "line_item_category": ["unknown"],
            "line_quantity": [1],
            "line_amount": [money(1000)],
        }
        for number, (name, order, ago) in enumerate(told)
    ]
    insert_rows(store, "order_events", rows)


async def test_a_card_that_is_tried_five_times_failed_once(store: Store, pool: StorePool) -> None:
    """Catches: a page in a quiet hour because of one customer with a bad card."""
    campaign = fresh_campaign("retries")
    _orders(
        store,
        campaign,
        [("payment_failed", "o1", ago) for ago in (50, 40, 30, 20, 10)]
        + [("order_paid", "o1", 5), ("payment_failed", "o2", 30), ("order_paid", "o3", 30)],
    )
    reading = (await read_seconds(pool, NOW, Seconds("channel", ()), [campaign]))[campaign]
    payments = reading.rows["app"]
    assert (int(payments.failed.sum()), int(payments.paid.sum())) == (2, 2)
    assert reading.start + int(payments.failed.nonzero()[0][0]) == NOW // 1000 - 50


async def test_an_order_that_is_paid_back_in_parts_is_refunded_once(store: Store, pool: StorePool) -> None:
    """Catches: a page because of one customer whose order is returned piece by piece."""
    campaign = fresh_campaign("parts")
    _orders(
        store, campaign, [("order_refunded", "o1", ago) for ago in (40, 30, 20, 10)] + [("order_refunded", "o2", 9)]
    )
    rows = await pool.query(queries.REFUNDS_RECENT, {"ids": [campaign], "from": NOW - 60_000, "to": NOW})
    assert [(NOW // 1000 - row["second"], row["refunds"]) for row in rows] == [(40, 1), (9, 1)]


async def test_one_clock_that_runs_ahead_hides_no_silence(store: Store) -> None:
    """Catches: a silence that nobody is told of, because a single event was of five minutes later."""
    shop = Shop(store, {"app": 8.0}, items=2)
    service = AlertsService(Settings(), store, clock=shop.clock)
    await service.restore()
    shop.write_history(until=2)
    told = []
    for second in range(55):
        if second == 20:
            insert_rows(store, "traffic_events", [shop.common("page_view", shop.now / 1000 + 300, shop.now)])
        shop.silent = second >= 25
        shop.tick()
        told += [t.alert for t in await service.look() if t.alert.campaign_id == shop.campaign]
    assert [(alert.rule, alert.state.value) for alert in told] == [("data_silence", "firing")]
