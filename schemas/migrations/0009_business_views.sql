-- Views for analysts and BI tools: business names, one meaning a column, nothing that names a person.
--
-- No view holds a user, a device, a session, an address of a page or free text. Who may read them may not read the
-- tables beneath: the views run as who made them (deploy/clickhouse/readonly.sql has the role). docs/bi.md explains each.
-- All times are UTC, all amounts in the reporting currency, and every event counts once.

CREATE VIEW IF NOT EXISTS bi_campaigns
(
    campaign String COMMENT 'Id of the campaign, as events carry it',
    name String COMMENT 'Its name',
    starts_at DateTime('UTC') COMMENT 'Its start',
    ends_at DateTime('UTC') COMMENT 'Its end, excluded',
    timezone String COMMENT 'The zone of its days'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    JSONExtractString(argMax(campaigns.body, version) AS declared, 'name') AS name,
    parseDateTimeBestEffort(JSONExtractString(declared, 'start'), 'UTC') AS starts_at,
    parseDateTimeBestEffort(JSONExtractString(declared, 'end'), 'UTC') AS ends_at,
    if(JSONHas(declared, 'timezone'), JSONExtractString(declared, 'timezone'), 'Asia/Shanghai') AS timezone
FROM campaigns
GROUP BY campaign_id
COMMENT 'Declared campaigns';

CREATE VIEW IF NOT EXISTS bi_orders
(
    campaign String COMMENT 'Id of the campaign',
    order_id String COMMENT 'The order; it has a row for each thing that happened to it',
    happened_at DateTime64(3, 'UTC') COMMENT 'When it happened',
    event String COMMENT 'order_created, order_paid, payment_failed, order_cancelled or order_refunded',
    amount Decimal(18, 2) COMMENT 'The amount of the order, or of this refund',
    original_amount Decimal(18, 2) COMMENT 'The same as it was sent, in original_currency',
    original_currency String COMMENT 'ISO 4217',
    discount Decimal(18, 2) COMMENT 'The discount that the event tells, 0 for none',
    items UInt64 COMMENT 'Pieces in the order',
    customer_type String COMMENT 'new, returning or unknown',
    channel String COMMENT 'Sales channel',
    region String COMMENT 'ISO 3166-2, or unknown',
    utm_source String COMMENT 'Where the buyer came from, or unknown',
    store_id String COMMENT 'The shop, empty for none',
    coupon_id String COMMENT 'The coupon that was used, empty for none'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    order_id,
    event_time AS happened_at,
    event_name AS event,
    value AS amount,
    original_value AS original_amount,
    currency AS original_currency,
    discount,
    arraySum(line_quantity) AS items,
    customer_type,
    channel,
    region,
    utm_source,
    store_id,
    coupon_id
FROM order_events
COMMENT 'What happened to orders, an event a row';

CREATE VIEW IF NOT EXISTS bi_order_items
(
    campaign String COMMENT 'Id of the campaign',
    order_id String COMMENT 'The order',
    happened_at DateTime64(3, 'UTC') COMMENT 'When it happened',
    event String COMMENT 'As in bi_orders',
    item_id String COMMENT 'The item',
    item_category String COMMENT 'Its category, or unknown',
    quantity UInt32 COMMENT 'Pieces',
    amount Decimal(18, 2) COMMENT 'Quantity x price; shipping and discounts of the order are in no item',
    channel String COMMENT 'Sales channel',
    region String COMMENT 'ISO 3166-2, or unknown'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    order_id,
    event_time AS happened_at,
    event_name AS event,
    line.1 AS item_id,
    line.2 AS item_category,
    line.3 AS quantity,
    line.4 AS amount,
    channel,
    region
FROM order_events
ARRAY JOIN arrayZip(line_item_id, line_item_category, line_quantity, line_amount) AS line
COMMENT 'The lines of orders; an order without lines has none here';

CREATE VIEW IF NOT EXISTS bi_sales_by_minute
(
    campaign String COMMENT 'Id of the campaign',
    minute DateTime('UTC') COMMENT 'Start of the minute',
    channel String COMMENT 'Sales channel',
    orders_created UInt64 COMMENT 'Orders placed',
    orders_paid UInt64 COMMENT 'Orders paid',
    orders_cancelled UInt64 COMMENT 'Orders cancelled',
    orders_refunded UInt64 COMMENT 'Refunds',
    payments_failed UInt64 COMMENT 'Payments that failed',
    gmv Decimal(38, 2) COMMENT 'Amount of orders placed',
    paid_gmv Decimal(38, 2) COMMENT 'Amount of orders paid',
    refund_amount Decimal(38, 2) COMMENT 'Amount refunded, at the moment of the refund',
    net_sales Decimal(38, 2) COMMENT 'paid_gmv - refund_amount',
    buyers UInt64 COMMENT 'People who paid in this minute on this channel; do not add minutes or channels up',
    new_buyers UInt64 COMMENT 'Of those, new customers; do not add up'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    minute,
    value AS channel,
    sum(o.orders_created) AS orders_created,
    sum(o.orders_paid) AS orders_paid,
    sum(o.orders_cancelled) AS orders_cancelled,
    sum(o.orders_refunded) AS orders_refunded,
    sum(o.payments_failed) AS payments_failed,
    sum(o.gmv) AS gmv,
    sum(o.paid_gmv) AS paid_gmv,
    sum(o.refund_amount) AS refund_amount,
    sum(o.paid_gmv) - sum(o.refund_amount) AS net_sales,
    uniqCombined64Merge(20)(o.buyers) AS buyers,
    uniqCombined64Merge(20)(o.new_buyers) AS new_buyers
FROM orders_by_minute AS o
WHERE dimension = 'channel'
GROUP BY campaign_id, minute, value
COMMENT 'Sales by minute and channel';

CREATE VIEW IF NOT EXISTS bi_traffic_by_minute
(
    campaign String COMMENT 'Id of the campaign',
    minute DateTime('UTC') COMMENT 'Start of the minute',
    channel String COMMENT 'Sales channel',
    events UInt64 COMMENT 'Everything that visitors did',
    page_views UInt64 COMMENT 'Pages and items viewed (pv)',
    visitors UInt64 COMMENT 'People seen in this minute on this channel (uv); do not add minutes or channels up',
    sessions UInt64 COMMENT 'Sessions seen in this minute on this channel; do not add up'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    minute,
    value AS channel,
    sum(t.events) AS events,
    sum(t.pv) AS page_views,
    uniqCombined64Merge(20)(t.uv) AS visitors,
    uniqCombined64Merge(20)(t.sessions) AS sessions
FROM traffic_by_minute AS t
WHERE dimension = 'channel'
GROUP BY campaign_id, minute, value
COMMENT 'Traffic by minute and channel';

CREATE VIEW IF NOT EXISTS bi_coupons
(
    campaign String COMMENT 'Id of the campaign',
    coupon_id String COMMENT 'The coupon; it has a row for each thing that happened to it',
    batch_id String COMMENT 'The batch that it was issued in',
    happened_at DateTime64(3, 'UTC') COMMENT 'When it happened',
    event String COMMENT 'coupon_issued, coupon_claimed, coupon_redeemed or coupon_expired',
    cost Decimal(18, 2) COMMENT 'Its face value when it is redeemed, 0 otherwise',
    order_id String COMMENT 'The order that it was used for, empty for none',
    channel String COMMENT 'Sales channel',
    region String COMMENT 'ISO 3166-2, or unknown'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    coupon_id,
    batch_id,
    event_time AS happened_at,
    event_name AS event,
    if(event_name = 'coupon_redeemed', face_value, toDecimal64(0, 2)) AS cost,
    order_id,
    channel,
    region
FROM coupon_events
COMMENT 'What happened to coupons, an event a row';

CREATE VIEW IF NOT EXISTS bi_ad_spend
(
    campaign String COMMENT 'Id of the campaign',
    happened_at DateTime64(3, 'UTC') COMMENT 'When the money was spent',
    channel String COMMENT 'Channel that it was spent for',
    region String COMMENT 'ISO 3166-2, or unknown',
    utm_source String COMMENT 'Where the ads ran, or unknown',
    cost Decimal(18, 2) COMMENT 'What they cost',
    impressions UInt64 COMMENT 'How often they were shown',
    clicks UInt64 COMMENT 'How often they were clicked'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    event_time AS happened_at,
    channel,
    region,
    utm_source,
    cost,
    impressions,
    clicks
FROM spend_events
COMMENT 'Ad spend, a report a row';

CREATE VIEW IF NOT EXISTS bi_stock
(
    campaign String COMMENT 'Id of the campaign',
    item_id String COMMENT 'The item',
    warehouse String COMMENT 'The warehouse',
    item_category String COMMENT 'Its category, or unknown',
    available UInt64 COMMENT 'Pieces that can be sold, by the latest level',
    safety_stock Nullable(Int64) COMMENT 'Pieces to be kept, null when nobody said',
    as_of DateTime64(3, 'UTC') COMMENT 'When that level was taken'
)
SQL SECURITY DEFINER AS
SELECT
    campaign_id AS campaign,
    item_id,
    warehouse_id AS warehouse,
    argMax(s.item_category, (event_time, arrived_at, kafka_offset)) AS item_category,
    argMax(s.available, (event_time, arrived_at, kafka_offset)) AS available,
    nullIf(argMax(s.safety_stock, (event_time, arrived_at, kafka_offset)), -1) AS safety_stock,
    max(event_time) AS as_of
FROM stock_events AS s
GROUP BY campaign_id, item_id, warehouse_id
COMMENT 'Stock as it stands, an item and warehouse a row';

CREATE VIEW IF NOT EXISTS bi_refusals_by_minute
(
    topic String COMMENT 'The topic that the records came by',
    minute DateTime('UTC') COMMENT 'Start of the minute in which they arrived',
    reason String COMMENT 'Why they were refused',
    records UInt64 COMMENT 'How many'
)
SQL SECURITY DEFINER AS
SELECT
    topic,
    toStartOfMinute(arrived_at) AS minute,
    reason,
    count() AS records
FROM dead_letters
GROUP BY topic, minute, reason
COMMENT 'Records that were refused and count nowhere';

CREATE VIEW IF NOT EXISTS bi_alerts
(
    alert_id String COMMENT 'The alert',
    campaign String COMMENT 'Id of the campaign, * for an alert about the pipeline',
    rule String COMMENT 'The rule that fired',
    severity String COMMENT 'info, warning or critical',
    state String COMMENT 'firing, acknowledged or resolved',
    starts_at DateTime64(3, 'UTC') COMMENT 'Onset',
    ends_at Nullable(DateTime64(3, 'UTC')) COMMENT 'End, null while it lasts',
    measured Float64 COMMENT 'The value that was judged',
    threshold Float64 COMMENT 'What it was judged by',
    summary String COMMENT 'The alert in a sentence'
)
SQL SECURITY DEFINER AS
SELECT
    alert_id,
    argMax(t.campaign_id, seq) AS campaign,
    argMax(t.rule, seq) AS rule,
    argMax(t.severity, seq) AS severity,
    argMax(t.state, seq) AS state,
    argMax(t.starts_at, seq) AS starts_at,
    max(t.ends_at) AS ends_at,
    argMax(t.value, seq) AS measured,
    argMax(t.threshold, seq) AS threshold,
    argMax(t.summary, seq) AS summary
FROM alert_transitions AS t
GROUP BY alert_id
COMMENT 'Alerts as they stand';

CREATE VIEW IF NOT EXISTS bi_completeness
(
    kind String COMMENT 'traffic, orders, coupons, inventory or spend',
    complete_until DateTime64(3, 'UTC') COMMENT 'Every event of this kind that was sent before this moment is in'
)
SQL SECURITY DEFINER AS
SELECT
    p.kind AS kind,
    min(p.watermark) AS complete_until
FROM ingest_progress AS p FINAL
GROUP BY p.kind
COMMENT 'How far each kind of events has come';
