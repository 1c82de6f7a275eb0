-- One table a topic: every accepted event once, and what was refused beside them.
--
-- Partitioned by the day of arrival, not of the event: all rows of a block share `arrived_at`, so a block is one part
-- in one partition, written whole or not at all, and its deduplication token is complete. Late events would otherwise
-- spread a block over many partitions, each with a token memory of its own.
--
-- `kafka_partition` and `kafka_offset` name the record that a row came from; (topic, partition, offset) is unique.

CREATE TABLE IF NOT EXISTS traffic_events
(
    arrived_at DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    region LowCardinality(String),
    -- Empty when the event carries none: such an event belongs to no session.
    session_id String CODEC(ZSTD(1)),
    item_id String CODEC(ZSTD(1)),
    item_category LowCardinality(String),
    utm_source LowCardinality(String),
    utm_medium LowCardinality(String),
    utm_campaign LowCardinality(String),
    device_category LowCardinality(String),
    page_location String CODEC(ZSTD(1)),
    engagement_time_msec UInt64 CODEC(ZSTD(1)),
    experiment LowCardinality(String),
    variant LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (campaign_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- Amounts are in the reporting currency; `original_value` is what the event said in `currency`.
CREATE TABLE IF NOT EXISTS order_events
(
    arrived_at DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    region LowCardinality(String),
    order_id String CODEC(ZSTD(1)),
    value Decimal(18, 2),
    currency LowCardinality(String),
    original_value Decimal(18, 2),
    -- The order's lines, as parallel arrays; `line_amount` is quantity x price of the line.
    line_item_id Array(String),
    line_item_category Array(String),
    line_quantity Array(UInt32),
    line_amount Array(Decimal(18, 2)),
    coupon_id String CODEC(ZSTD(1)),
    discount Decimal(18, 2),
    customer_type LowCardinality(String),
    utm_source LowCardinality(String),
    store_id LowCardinality(String),
    device_id String CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (campaign_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS coupon_events
(
    arrived_at DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    region LowCardinality(String),
    coupon_id String CODEC(ZSTD(1)),
    batch_id LowCardinality(String),
    face_value Decimal(18, 2),
    currency LowCardinality(String),
    order_id String CODEC(ZSTD(1)),
    device_id String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (campaign_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stock_events
(
    arrived_at DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String),
    channel LowCardinality(String),
    region LowCardinality(String),
    item_id String CODEC(ZSTD(1)),
    item_category LowCardinality(String),
    warehouse_id LowCardinality(String),
    available UInt64,
    -- -1 when the event carries none.
    safety_stock Int64
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (campaign_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS spend_events
(
    arrived_at DateTime64(3, 'UTC'),
    kafka_partition UInt16,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String),
    channel LowCardinality(String),
    region LowCardinality(String),
    utm_source LowCardinality(String),
    cost Decimal(18, 2),
    currency LowCardinality(String),
    impressions UInt64,
    clicks UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (campaign_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- What `campaign.dlq` holds, for people with SQL and for GET /api/v1/dead-letters.
CREATE TABLE IF NOT EXISTS dead_letters
(
    arrived_at DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    kafka_partition UInt16,
    kafka_offset UInt64,
    reason LowCardinality(String),
    detail String CODEC(ZSTD(1)),
    key Nullable(String) CODEC(ZSTD(1)),
    -- base64 of the record's bytes
    value String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(arrived_at)
ORDER BY (arrived_at, topic, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;
