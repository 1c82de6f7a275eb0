"""A festival of the demo's size, made inside the store: what a wall screen shows is as large as there."""

from __future__ import annotations

from typing import Final

from services.common.store import Store

CAMPAIGN: Final = "festival"

_MADE = (
    """
    INSERT INTO traffic_events
        (arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, user_id, channel,
         region, session_id, item_id, item_category, utm_source, device_category)
    SELECT
        {now:DateTime64(3, 'UTC')}, 0, number, 't' || toString(number),
        ['page_view', 'view_item', 'add_to_cart', 'begin_checkout'][1 + intHash64(number) % 4],
        {now:DateTime64(3, 'UTC')} - toIntervalMillisecond(900000 - number * 6),
        'festival', 'u' || toString(intHash64(number) % 40000), 'channel-' || toString(number % 8),
        'CN-' || toString(11 + intHash64(number) % 31), 's' || toString(intHash64(number) % 60000),
        'item-' || toString(number % 200), 'category-' || toString(number % 20), 'source', 'mobile'
    FROM numbers(200000)
    """,
    """
    INSERT INTO order_events
        (arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, user_id, channel,
         region, order_id, value, currency, line_item_id, line_item_category, line_quantity, line_amount,
         customer_type, utm_source)
    SELECT
        {now:DateTime64(3, 'UTC')}, 0, number, 'o' || toString(number), ['order_created', 'order_paid'][1 + number % 2],
        {now:DateTime64(3, 'UTC')} - toIntervalMillisecond(900000 - number * 60),
        'festival', 'u' || toString(intHash64(number) % 40000), 'channel-' || toString(intHash64(number) % 8),
        'CN-' || toString(11 + intHash64(number) % 31), toString(intDiv(number, 2)), 199.9, 'CNY',
        ['item-' || toString(intHash64(number) % 200)], ['category'], [1], [199.9], 'new', 'source'
    FROM numbers(20000)
    """,
    """
    INSERT INTO spend_events
        (arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, channel, region,
         utm_source, cost, currency, impressions, clicks)
    SELECT
        {now:DateTime64(3, 'UTC')}, 0, number, 'a' || toString(number), 'ad_spend',
        {now:DateTime64(3, 'UTC')} - toIntervalMillisecond(900000 - number * 600),
        'festival', 'channel-' || toString(number % 8), 'unknown', 'source', 12.5, 'CNY', 1000, 30
    FROM numbers(2000)
    """,
    """
    INSERT INTO stock_events
        (arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, channel, region,
         item_id, item_category, warehouse_id, available, safety_stock)
    SELECT
        {now:DateTime64(3, 'UTC')}, 0, number, 'i' || toString(number), 'stock_level',
        {now:DateTime64(3, 'UTC')} - toIntervalMillisecond(900000 - number * 600),
        'festival', 'unknown', 'unknown', 'item-' || toString(number % 200), 'category', 'main', 500, 50
    FROM numbers(1000)
    """,
    """
    INSERT INTO ingest_progress
    SELECT 'campaign.' || kind, 0, kind, 1, 1, {now:DateTime64(3, 'UTC')}, now64(3)
    FROM (SELECT arrayJoin(['traffic', 'orders', 'coupons', 'inventory', 'spend']) AS kind)
    """,
)


def make_festival(store: Store, now: str) -> None:
    """Fills a migrated store: a quarter of an hour until `now` (UTC, as SQL writes it) and some minutes beyond it."""
    for statement in _MADE:
        store.command(statement, {"now": now})
