"""Festivals made inside ClickHouse: too many events to send one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from services.common.store import Store

HOURS = 24
ITEMS = 10_000
_BATCH = 500_000
_ORDERS = 25
"""Of so many events of traffic one order is placed or paid."""

_CHANNELS = "['app', 'web', 'mini_program', 'live', 'store', 'social', 'search', 'affiliate']"
_MOMENT = pa.timestamp("ms", "UTC")


@dataclass(frozen=True, slots=True)
class Festival:
    """`events` of traffic over the last 24 hours before `end_s` (epoch seconds), and orders beside them.

    A tenth of them belongs to campaign `c0`, the others to `c1` and so on; with one campaign all are `c0`'s. A session
    is eight events within two minutes or so, a user has about two of them; sales of items are skewed as in a shop.
    """

    events: int
    campaigns: int
    end_s: int

    @property
    def users(self) -> int:
        """About how many users there are."""
        return max(1_000, self.events // 16)

    def build(self, store: Store, say: Callable[[str], None]) -> None:
        """Writes the events, what ingest would say of them, and nothing else; the rollups are fed by their views."""
        began = time.monotonic()
        for first in range(0, self.events, _BATCH):
            count = min(_BATCH, self.events - first)
            store.command(self._traffic(first, count))
            store.command(self._orders(first // _ORDERS, count // _ORDERS))
            if first % (_BATCH * 20) == 0:
                say(f"  {first + count:,} of {self.events:,} events after {time.monotonic() - began:.0f} s")
        store.command(self._spend())

    def _campaign(self, number: str) -> str:
        if self.campaigns == 1:
            return "'c0'"
        return f"if({number} % 10 = 0, 'c0', concat('c', toString(1 + cityHash64({number}, 4) % {self.campaigns - 1})))"

    def _moment(self, number: str, per_event: int) -> str:
        start = self.end_s - HOURS * 3600
        return f"toInt64(({start} + {number} * {HOURS * 3600 * per_event / self.events}) * 1000)"

    def _session(self, number: str) -> str:
        # 20,000 sessions go on at the same time where there are events enough for that.
        width = max(50, min(20_000, self.events // 400))
        return f"({number} % {width} + intDiv({number}, {width * 8}) * {width})"

    def _traffic(self, first: int, count: int) -> str:
        return f"""
INSERT INTO traffic_events (
    arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, user_id, channel, region,
    session_id, item_id, item_category, utm_source, device_category, engagement_time_msec
)
WITH
    number + {first} AS i,
    {self._session("i")} AS session,
    cityHash64(session, 5) % {self.users} AS user,
    cityHash64(i, 1) AS h,
    h % 100 AS e,
    toUInt32(pow((cityHash64(i, 2) % 10000) / 10000.0, 2) * {ITEMS}) AS item,
    {self._moment("i", 1)} AS ms
SELECT
    fromUnixTimestamp64Milli(ms + 500, 'UTC'),
    i % 4,
    intDiv(i, 4),
    concat('t', toString(i)),
    multiIf(e < 55, 'page_view', e < 88, 'view_item', e < 96, 'add_to_cart', 'begin_checkout'),
    fromUnixTimestamp64Milli(ms - h % 2000, 'UTC'),
    {self._campaign("session")},
    concat('user-', toString(user)),
    {_CHANNELS}[1 + user % 8],
    concat('CN-', toString(10 + cityHash64(user) % 34)),
    concat('s', toString(session)),
    concat('item-', toString(item)),
    concat('category-', toString(item % 40)),
    concat('source-', toString(user % 20)),
    ['ios', 'android', 'desktop'][1 + user % 3],
    h % 60000
FROM numbers({count})
"""

    def _orders(self, first: int, count: int) -> str:
        return f"""
INSERT INTO order_events (
    arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, user_id, channel, region,
    order_id, value, currency, original_value, line_item_id, line_item_category, line_quantity, line_amount,
    customer_type, utm_source
)
WITH
    number + {first} AS i,
    intDiv(i, 2) AS number_of_order,
    {self._session(f"(number_of_order * {2 * _ORDERS})")} AS session,
    cityHash64(session, 5) % {self.users} AS user,
    cityHash64(number_of_order, 8) AS h,
    toDecimal64(10 + h % 5000 / 10, 2) AS amount,
    toUInt32(pow((h % 10000) / 10000.0, 2) * {ITEMS}) AS item,
    {self._moment("i", _ORDERS)} AS ms
SELECT
    fromUnixTimestamp64Milli(ms + 500, 'UTC'),
    i % 4,
    intDiv(i, 4),
    concat('o', toString(i)),
    if(i % 2 = 0, 'order_created', 'order_paid'),
    fromUnixTimestamp64Milli(ms, 'UTC'),
    {self._campaign("session")},
    concat('user-', toString(user)),
    {_CHANNELS}[1 + user % 8],
    concat('CN-', toString(10 + cityHash64(user) % 34)),
    concat('order-', toString(number_of_order)),
    amount,
    'CNY',
    amount,
    [concat('item-', toString(item))],
    [concat('category-', toString(item % 40))],
    [1],
    [amount],
    if(user % 3 = 0, 'new', 'returning'),
    concat('source-', toString(user % 20))
FROM numbers({count})
"""

    def _spend(self) -> str:
        return f"""
INSERT INTO spend_events (
    arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, channel, region,
    utm_source, cost, currency, impressions, clicks
)
WITH toInt64({self.end_s - HOURS * 3600} + intDiv(number, {self.campaigns}) * 60) * 1000 AS ms
SELECT
    fromUnixTimestamp64Milli(ms + 500, 'UTC'),
    0,
    number,
    concat('a', toString(number)),
    'ad_spend',
    fromUnixTimestamp64Milli(ms, 'UTC'),
    concat('c', toString(number % {self.campaigns})),
    {_CHANNELS}[1 + intDiv(number, {self.campaigns}) % 8],
    'unknown',
    'source-1',
    toDecimal64(12.5, 2),
    'CNY',
    1000,
    50
FROM numbers({HOURS * 60 * self.campaigns})
"""
