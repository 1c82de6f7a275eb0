-- Rollups, fed by materialized views as events arrive, so that a query reads minutes and not events.
--
-- The `*_by_minute` tables hold one row per campaign, minute and value of ONE dimension; the dimension '' is the
-- campaign as a whole. A question about one dimension is answered from here, one that crosses two from the events.
-- `day` is the day of arrival, as in the tables that feed them: a rollup must be partitioned as its source, or a
-- repeated insert that was cut in half is completed in the source and dropped in the rollup.
--
-- Distinct users are uniqCombined64 with 2^20 cells: standard error 0.1 %, exact below some ten thousand.

CREATE TABLE IF NOT EXISTS traffic_by_minute
(
    day Date,
    campaign_id LowCardinality(String),
    dimension LowCardinality(String),
    value String,
    minute DateTime('UTC'),
    events SimpleAggregateFunction(sum, UInt64),
    pv SimpleAggregateFunction(sum, UInt64),
    -- Not kept for item_id: there are too many items for a state each.
    uv AggregateFunction(uniqCombined64(20), String),
    -- Kept for the whole and for channel only.
    sessions AggregateFunction(uniqCombined64(20), String)
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, dimension, value, minute)
SETTINGS non_replicated_deduplication_window = 10000;

-- One view for all dimensions: each further view costs an insert some milliseconds, however few its rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_by_minute_dimensions TO traffic_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    slice.1 AS dimension,
    slice.2 AS value,
    toStartOfMinute(event_time) AS minute,
    count() AS events,
    countIf(event_name IN ('page_view', 'view_item')) AS pv,
    uniqCombined64StateIf(20)(user_id, slice.1 != 'item_id') AS uv,
    uniqCombined64StateIf(20)(session_id, session_id != '' AND slice.1 IN ('', 'channel')) AS sessions
FROM traffic_events
ARRAY JOIN
    [
        ('', ''),
        ('channel', toString(channel)),
        ('region', toString(region)),
        ('utm_source', toString(utm_source)),
        ('device_category', toString(device_category)),
        ('item_category', toString(item_category)),
        ('item_id', item_id)
    ] AS slice
GROUP BY day, campaign_id, dimension, value, minute;

CREATE TABLE IF NOT EXISTS orders_by_minute
(
    day Date,
    campaign_id LowCardinality(String),
    dimension LowCardinality(String),
    value String,
    minute DateTime('UTC'),
    orders_created SimpleAggregateFunction(sum, UInt64),
    orders_paid SimpleAggregateFunction(sum, UInt64),
    orders_cancelled SimpleAggregateFunction(sum, UInt64),
    orders_refunded SimpleAggregateFunction(sum, UInt64),
    payments_failed SimpleAggregateFunction(sum, UInt64),
    gmv SimpleAggregateFunction(sum, Decimal(38, 2)),
    paid_gmv SimpleAggregateFunction(sum, Decimal(38, 2)),
    refund_amount SimpleAggregateFunction(sum, Decimal(38, 2)),
    buyers AggregateFunction(uniqCombined64(20), String),
    new_buyers AggregateFunction(uniqCombined64(20), String),
    -- Pieces sold, for the sell rate; kept for item_id and item_category only.
    paid_units SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, dimension, value, minute)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS orders_by_minute_dimensions TO orders_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    slice.1 AS dimension,
    slice.2 AS value,
    toStartOfMinute(event_time) AS minute,
    countIf(event_name = 'order_created') AS orders_created,
    countIf(event_name = 'order_paid') AS orders_paid,
    countIf(event_name = 'order_cancelled') AS orders_cancelled,
    countIf(event_name = 'order_refunded') AS orders_refunded,
    countIf(event_name = 'payment_failed') AS payments_failed,
    sumIf(toDecimal128(order_events.value, 2), event_name = 'order_created') AS gmv,
    sumIf(toDecimal128(order_events.value, 2), event_name = 'order_paid') AS paid_gmv,
    sumIf(toDecimal128(order_events.value, 2), event_name = 'order_refunded') AS refund_amount,
    uniqCombined64StateIf(20)(user_id, event_name = 'order_paid') AS buyers,
    uniqCombined64StateIf(20)(user_id, event_name = 'order_paid' AND customer_type = 'new') AS new_buyers
FROM order_events
ARRAY JOIN [('', ''), ('channel', toString(channel)), ('region', toString(region)), ('utm_source', toString(utm_source)), ('customer_type', toString(customer_type))] AS slice
GROUP BY day, campaign_id, dimension, value, minute;

-- An order counts once for each of its distinct items (categories) and its amount is split over its lines; an order
-- without lines falls under 'unknown' with its whole value.
CREATE MATERIALIZED VIEW IF NOT EXISTS orders_by_minute_lines TO orders_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    slice.1 AS dimension,
    slice.2 AS value,
    toStartOfMinute(event_time) AS minute,
    countIf(event_name = 'order_created') AS orders_created,
    countIf(event_name = 'order_paid') AS orders_paid,
    countIf(event_name = 'order_cancelled') AS orders_cancelled,
    countIf(event_name = 'order_refunded') AS orders_refunded,
    countIf(event_name = 'payment_failed') AS payments_failed,
    sumIf(toDecimal128(slice.3, 2), event_name = 'order_created') AS gmv,
    sumIf(toDecimal128(slice.3, 2), event_name = 'order_paid') AS paid_gmv,
    sumIf(toDecimal128(slice.3, 2), event_name = 'order_refunded') AS refund_amount,
    uniqCombined64StateIf(20)(user_id, event_name = 'order_paid') AS buyers,
    uniqCombined64StateIf(20)(user_id, event_name = 'order_paid' AND customer_type = 'new') AS new_buyers,
    sumIf(slice.4, event_name = 'order_paid') AS paid_units
FROM order_events
ARRAY JOIN if(
    empty(line_item_id),
    [
        ('item_id', 'unknown', toDecimal128(order_events.value, 2), 0::UInt64),
        ('item_category', 'unknown', toDecimal128(order_events.value, 2), 0::UInt64)
    ],
    arrayConcat(
        arrayMap(
            name -> (
                'item_id',
                name,
                arraySum(arrayMap((other, amount) -> if(other = name, amount, toDecimal64(0, 2)), line_item_id, line_amount)),
                arraySum(arrayMap((other, pieces) -> if(other = name, pieces, 0), line_item_id, line_quantity))
            ),
            arrayDistinct(line_item_id)
        ),
        arrayMap(
            name -> (
                'item_category',
                name,
                arraySum(arrayMap((other, amount) -> if(other = name, amount, toDecimal64(0, 2)), line_item_category, line_amount)),
                arraySum(arrayMap((other, pieces) -> if(other = name, pieces, 0), line_item_category, line_quantity))
            ),
            arrayDistinct(line_item_category)
        )
    )
) AS slice
GROUP BY day, campaign_id, dimension, value, minute;

CREATE TABLE IF NOT EXISTS coupons_by_minute
(
    day Date,
    campaign_id LowCardinality(String),
    dimension LowCardinality(String),
    value String,
    minute DateTime('UTC'),
    coupons_issued SimpleAggregateFunction(sum, UInt64),
    coupons_claimed SimpleAggregateFunction(sum, UInt64),
    coupons_redeemed SimpleAggregateFunction(sum, UInt64),
    coupon_cost SimpleAggregateFunction(sum, Decimal(38, 2))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, dimension, value, minute)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS coupons_by_minute_dimensions TO coupons_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    slice.1 AS dimension,
    slice.2 AS value,
    toStartOfMinute(event_time) AS minute,
    countIf(event_name = 'coupon_issued') AS coupons_issued,
    countIf(event_name = 'coupon_claimed') AS coupons_claimed,
    countIf(event_name = 'coupon_redeemed') AS coupons_redeemed,
    sumIf(toDecimal128(face_value, 2), event_name = 'coupon_redeemed') AS coupon_cost
FROM coupon_events
ARRAY JOIN [('', ''), ('channel', toString(channel)), ('region', toString(region))] AS slice
GROUP BY day, campaign_id, dimension, value, minute;

CREATE TABLE IF NOT EXISTS spend_by_minute
(
    day Date,
    campaign_id LowCardinality(String),
    dimension LowCardinality(String),
    value String,
    minute DateTime('UTC'),
    ad_cost SimpleAggregateFunction(sum, Decimal(38, 2)),
    impressions SimpleAggregateFunction(sum, UInt64),
    clicks SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, dimension, value, minute)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS spend_by_minute_dimensions TO spend_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    slice.1 AS dimension,
    slice.2 AS value,
    toStartOfMinute(event_time) AS minute,
    sum(toDecimal128(cost, 2)) AS ad_cost,
    sum(spend_events.impressions) AS impressions,
    sum(spend_events.clicks) AS clicks
FROM spend_events
ARRAY JOIN [('', ''), ('channel', toString(channel)), ('region', toString(region)), ('utm_source', toString(utm_source))] AS slice
GROUP BY day, campaign_id, dimension, value, minute;

-- The last level of a warehouse within each minute: the later event_time wins, and of two at the same moment the one
-- that arrived later.
CREATE TABLE IF NOT EXISTS stock_by_minute
(
    day Date,
    campaign_id LowCardinality(String),
    item_id String,
    warehouse_id LowCardinality(String),
    minute DateTime('UTC'),
    level AggregateFunction(argMax, Tuple(UInt64, Int64, String), Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'), UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, item_id, warehouse_id, minute)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS stock_by_minute_levels TO stock_by_minute AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    item_id,
    warehouse_id,
    toStartOfMinute(event_time) AS minute,
    argMaxState(
        (available, safety_stock, toString(item_category)),
        (event_time, stock_events.arrived_at, kafka_offset)
    ) AS level
FROM stock_events
GROUP BY day, campaign_id, item_id, warehouse_id, minute;

-- The pulse of a campaign by the second and channel: for the live curve, and for rules that must fire within seconds.
CREATE TABLE IF NOT EXISTS pulse_by_second
(
    day Date,
    campaign_id LowCardinality(String),
    second DateTime('UTC'),
    channel LowCardinality(String),
    traffic SimpleAggregateFunction(sum, UInt64),
    orders_created SimpleAggregateFunction(sum, UInt64),
    orders_paid SimpleAggregateFunction(sum, UInt64),
    gmv SimpleAggregateFunction(sum, Decimal(38, 2)),
    paid_gmv SimpleAggregateFunction(sum, Decimal(38, 2))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, second, channel)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS pulse_by_second_traffic TO pulse_by_second AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    toStartOfSecond(event_time) AS second,
    channel,
    count() AS traffic
FROM traffic_events
GROUP BY day, campaign_id, second, channel;

CREATE MATERIALIZED VIEW IF NOT EXISTS pulse_by_second_orders TO pulse_by_second AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    toStartOfSecond(event_time) AS second,
    channel,
    countIf(event_name = 'order_created') AS orders_created,
    countIf(event_name = 'order_paid') AS orders_paid,
    sumIf(toDecimal128(order_events.value, 2), event_name = 'order_created') AS gmv,
    sumIf(toDecimal128(order_events.value, 2), event_name = 'order_paid') AS paid_gmv
FROM order_events
GROUP BY day, campaign_id, second, channel;

-- When each kind of event was first and last seen in a campaign: the start of a campaign that nobody declared, and
-- whether events still come.
CREATE TABLE IF NOT EXISTS campaign_activity
(
    day Date,
    campaign_id LowCardinality(String),
    kind LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64),
    first_event SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_event SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    last_arrival SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (campaign_id, kind)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS campaign_activity_traffic TO campaign_activity AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    'traffic' AS kind,
    count() AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(arrived_at) AS last_arrival
FROM traffic_events
GROUP BY day, campaign_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS campaign_activity_orders TO campaign_activity AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    'orders' AS kind,
    count() AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(arrived_at) AS last_arrival
FROM order_events
GROUP BY day, campaign_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS campaign_activity_coupons TO campaign_activity AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    'coupons' AS kind,
    count() AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(arrived_at) AS last_arrival
FROM coupon_events
GROUP BY day, campaign_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS campaign_activity_inventory TO campaign_activity AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    'inventory' AS kind,
    count() AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(arrived_at) AS last_arrival
FROM stock_events
GROUP BY day, campaign_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS campaign_activity_spend TO campaign_activity AS
SELECT
    toDate(arrived_at) AS day,
    campaign_id,
    'spend' AS kind,
    count() AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    max(arrived_at) AS last_arrival
FROM spend_events
GROUP BY day, campaign_id;
