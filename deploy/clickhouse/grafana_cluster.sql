-- grafana.sql for a cluster. Made from it by `python -m scripts.cluster_rights`: change that one.
--
-- To be run once, on any server, by a user that may manage access, after `warroom migrate`. It may be run again. The
-- cluster is `warroom`, as in WARROOM_CLICKHOUSE_CLUSTER, and so is the database; change the names if yours are others.
--     CREATE USER ... ON CLUSTER 'warroom' IDENTIFIED BY '...' DEFAULT ROLE warroom_grafana;
--     GRANT ON CLUSTER 'warroom' warroom_grafana TO ...;
-- Where servers keep users in Keeper (`user_directories` with `replicated`), leave ON CLUSTER out.
--
-- The views run as who made them, but on the server that was asked alone: a shard is asked in the reader's name
-- (https://github.com/ClickHouse/ClickHouse/issues/88009). So the reader may read there, too, the columns that the
-- views are made of, and no other. None of them names a person; sketches of distinct users are among them.

CREATE SETTINGS PROFILE IF NOT EXISTS warroom_grafana ON CLUSTER 'warroom' SETTINGS
    -- Two views in one question are each asked of all shards, and a shard that is away is an error.
    distributed_product_mode = 'global' CONST,
    skip_unavailable_shards = 0 CONST,
    readonly = 2 CONST,
    allow_ddl = 0 CONST,
    max_execution_time = 30 MAX 60,
    timeout_overflow_mode = 'throw' CONST,
    max_memory_usage = 2000000000 MAX 2000000000,
    max_threads = 2 MAX 4,
    max_rows_to_read = 500000000 MAX 500000000,
    read_overflow_mode = 'throw' CONST,
    max_result_rows = 100000 MAX 100000,
    result_overflow_mode = 'throw' CONST,
    max_concurrent_queries_for_user = 160 MAX 160;

CREATE ROLE IF NOT EXISTS warroom_grafana ON CLUSTER 'warroom' SETTINGS PROFILE 'warroom_grafana';

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_campaigns TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_plan TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_orders TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_order_items TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_sales_by_minute TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_traffic_by_minute TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_stock TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_refusals_by_minute TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_alerts TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON warroom.bi_completeness TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.columns TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.disks TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.errors TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.events TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.merges TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.metrics TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.mutations TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT ON system.parts TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SHOW TABLES, SHOW COLUMNS ON warroom.* TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    alert_id,
    campaign_id,
    ends_at,
    rule,
    seq,
    severity,
    starts_at,
    state,
    summary,
    threshold,
    value
) ON warroom_shard.alert_transitions TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    body,
    campaign_id,
    version
) ON warroom_shard.campaigns TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    arrived_at,
    reason,
    topic
) ON warroom_shard.dead_letters TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    kind,
    watermark
) ON warroom_shard.ingest_progress TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    campaign_id,
    channel,
    coupon_id,
    currency,
    customer_type,
    discount,
    event_name,
    event_time,
    line_amount,
    line_item_category,
    line_item_id,
    line_quantity,
    order_id,
    original_value,
    region,
    store_id,
    utm_source,
    value
) ON warroom_shard.order_events TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    buyers,
    campaign_id,
    dimension,
    gmv,
    minute,
    new_buyers,
    orders_cancelled,
    orders_created,
    orders_paid,
    orders_refunded,
    paid_gmv,
    payments_failed,
    refund_amount,
    value
) ON warroom_shard.orders_by_minute TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    arrived_at,
    available,
    campaign_id,
    event_time,
    item_category,
    item_id,
    kafka_offset,
    safety_stock,
    warehouse_id
) ON warroom_shard.stock_events TO warroom_grafana;

GRANT ON CLUSTER 'warroom' SELECT(
    campaign_id,
    dimension,
    events,
    minute,
    pv,
    sessions,
    uv,
    value
) ON warroom_shard.traffic_by_minute TO warroom_grafana;

CREATE QUOTA IF NOT EXISTS warroom_grafana ON CLUSTER 'warroom' KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 60000, errors = 1000, read_rows = 100000000000, execution_time = 7200
    TO warroom_grafana;
