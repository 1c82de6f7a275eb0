"""What a backtest reads beside the questions of the service: whole periods, once."""

from __future__ import annotations

ACTIVE = """
SELECT toString(campaign_id) AS campaign_id
FROM campaign_activity
GROUP BY campaign_id
HAVING min(first_event) < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    AND max(last_event) >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
ORDER BY campaign_id
"""

# Events of the kinds that the pulse does not hold, by second.
COUNTS = """
SELECT
    toString(campaign_id) AS campaign_id,
    intDiv(toUnixTimestamp64Milli(event_time), 1000) AS second,
    count() AS events
FROM {table}
WHERE campaign_id IN {{ids:Array(String)}}
    AND event_time >= toDateTime({{from:UInt32}}, 'UTC') AND event_time < toDateTime({{to:UInt32}}, 'UTC')
GROUP BY campaign_id, second
"""
COUNTED = {"coupons": "coupon_events", "inventory": "stock_events", "spend": "spend_events", "orders": "order_events"}

# How many items had orders in each clock hour.
ITEMS = """
SELECT
    toString(campaign_id) AS campaign_id,
    intDiv(toUnixTimestamp(minute), 3600) AS hour,
    uniqExact(orders_by_minute.value) AS items
FROM orders_by_minute
WHERE campaign_id IN {ids:Array(String)}
    AND dimension = 'item_id'
    AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, hour
"""

# The newest level of each item and warehouse before the period, and in each `step` seconds of it.
STOCK = """
SELECT
    toString(campaign_id) AS campaign_id,
    item_id,
    toString(warehouse_id) AS warehouse_id,
    if(event_time < toDateTime({from:UInt32}, 'UTC'), 0, intDiv(toUnixTimestamp(event_time), {step:UInt32})) AS bucket,
    toUnixTimestamp(max(event_time)) AS second,
    argMax((available, safety_stock), (event_time, kafka_partition, kafka_offset)) AS newest,
    newest.1 AS level,
    newest.2 AS safety
FROM stock_events
WHERE campaign_id IN {ids:Array(String)} AND event_time < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, item_id, warehouse_id, bucket
ORDER BY second, campaign_id, item_id, warehouse_id
"""

# What each item sold in each minute.
SOLD = """
SELECT
    toString(campaign_id) AS campaign_id,
    orders_by_minute.value AS item_id,
    toUnixTimestamp(minute) AS second,
    toInt64(sum(orders_by_minute.paid_units)) AS units,
    toInt64(sum(orders_by_minute.paid_gmv) * 100) AS amount,
    toInt64(sum(orders_by_minute.orders_paid)) AS orders
FROM orders_by_minute
WHERE campaign_id = {id:String}
    AND dimension = 'item_id'
    AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, item_id, second
HAVING units > 0
ORDER BY second
"""

REFUSED = """
SELECT
    toString(topic) AS topic,
    intDiv(toUnixTimestamp64Milli(arrived_at), 1000) AS second,
    count() AS records
FROM dead_letters
WHERE arrived_at >= toDateTime({from:UInt32}, 'UTC') AND arrived_at < toDateTime({to:UInt32}, 'UTC')
GROUP BY topic, second
"""
