"""What the store says of accounts and devices, against counting them one by one; and how seldom it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from services.alerts.readings.suspects import Search
from services.alerts.readings.watch import Watch, Watched
from services.common.clock import to_datetime
from services.common.store import Row, Store, StorePool
from tests.support.rows import NOBODYS_PARTITION, insert_rows, money
from tests.support.store import fresh_campaign

NOW = 1_950_000_000_000
QUICK, SLOW = Search("orders", 600_000, 5), Search("orders", 3_600_000, 5)


class Counting(StorePool):
    """A pool that counts its questions."""

    asked = 0

    async def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        self.asked += 1
        return await super().query(sql, parameters)


@pytest.fixture
def pool(store: Store) -> Iterator[Counting]:
    pool = Counting(store, threads=2, name="watch")
    yield pool
    asyncio.run(pool.close())


def rows(campaign: str, number: int, seed: int) -> list[dict[str, Any]]:
    """Events of twenty accounts on fifteen devices over more than an hour, tills and other names among them."""
    random = np.random.default_rng(seed)
    return [
        {
            "arrived_at": to_datetime(NOW),
            "kafka_partition": NOBODYS_PARTITION,
            "kafka_offset": n,
            "event_id": f"{campaign}-{n}",
            "event_name": "order_paid" if random.random() < 0.8 else "order_created",
            "event_time": to_datetime(NOW - int(random.integers(0, 4_500_000))),
            "campaign_id": campaign,
            "user_id": f"u{int(random.integers(0, 20) ** 2 // 20)}",
            "channel": "store" if random.random() < 0.1 else "app",
            "region": "unknown",
            "order_id": f"o{n}",
            "value": money(100 + n),
            "currency": "CNY",
            "original_value": money(100 + n),
            "device_id": "" if random.random() < 0.2 else f"d{int(random.integers(0, 15))}",
            "store_id": "s1" if random.random() < 0.1 else "",
        }
        for n in range(number)
    ]


async def test_counts_are_those_of_the_events(store: Store, pool: Counting) -> None:
    campaign, other = fresh_campaign("watch"), fresh_campaign("watch")
    events = rows(campaign, 600, 1)
    for batch in (events, rows(other, 200, 2)):
        insert_rows(store, "order_events", batch)
    found = await Watch(pool).read(NOW, {campaign: Watched([QUICK, SLOW], {"orders": NOW})})
    for search in (QUICK, SLOW):
        start = to_datetime(NOW - search.window_ms)
        kept = [
            event
            for event in events
            if event["event_name"] == "order_paid"
            and event["event_time"] >= start
            and not event["store_id"]
            and event["channel"] != "store"
        ]
        suspicion = found[campaign].suspicions[search]
        for kind in ("user", "device"):
            counts = Counter(event[f"{kind}_id"] for event in kept if event[f"{kind}_id"])
            crowd = suspicion.crowds[kind]
            assert crowd.histogram == Counter(counts.values())
            expected = sorted((count for count in counts.values() if count >= 5), reverse=True)[:20]
            assert [suspect.count for suspect in crowd.suspects] == expected
            assert sum(suspect.amount for suspect in crowd.suspects) == sum(
                event["value"] for event in kept if counts[event[f"{kind}_id"]] >= 5
            )
            assert not {suspect.name for suspect in crowd.suspects} & counts.keys()


async def test_it_is_read_again_at_its_pace_and_only_when_something_came(store: Store, pool: Counting) -> None:
    campaign = fresh_campaign("watch")
    insert_rows(store, "order_events", rows(campaign, 20, 3))
    watch = Watch(pool)
    asked = []
    for second in range(40):
        before = pool.asked
        # Nothing arrives from the twentieth second on.
        arrived = NOW + 1000 * min(second, 20)
        found = await watch.read(NOW + 1000 * second, {campaign: Watched([QUICK], {"orders": arrived})})
        assert QUICK in found[campaign].suspicions
        asked.append(pool.asked > before)
    assert [second for second, one in enumerate(asked) if one] == [0, 5, 10, 15, 20]
    assert await watch.read(NOW + 50_000, {campaign: Watched([], {"orders": NOW + 50_000})}) != {}
    assert not asked[-1]
