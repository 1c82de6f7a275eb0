-- Who was there, in spans longer than a minute: so that the visitors of a day are the union of three sets and not of
-- 1,440, and the funnel of a campaign reads each user once and not each event.
--
-- These tables are not fed by views but by folds: each fold takes the events that arrived within some seconds, all at
-- once, a while after the last of them is known to be in. They hold nothing but sets, earliest times and lists that are
-- read as sets, so an event that is folded twice changes nothing, and whoever folds needs no lock and no memory.
-- Questions add the events that arrived after the last fold from the event tables themselves.

-- `span` is a number of minutes and `start` a multiple of it since 1970. Three spans of 480 are a day of Shanghai. A span
-- of 0 that starts at 0 is all that a campaign has, whenever it happened: most questions are about a whole campaign.
--
-- A row holds up to 1 MB, and with the default of 10 MB between two marks a question for one set read the ten around it:
-- three times the cost. Partition 1 holds the spans of 0, so that these can be merged into one part by themselves: each
-- part that holds a piece of a large set makes a question as dear as the whole set does.
--
-- `measure` is one of uv, sessions, buyers, new_buyers.
CREATE TABLE IF NOT EXISTS uniques_by_span
(
    campaign_id LowCardinality(String),
    measure LowCardinality(String),
    dimension LowCardinality(String),
    value String,
    span UInt16,
    start DateTime('UTC'),
    users AggregateFunction(uniqCombined64(20), String)
)
ENGINE = AggregatingMergeTree
PARTITION BY span = 0
ORDER BY (campaign_id, measure, dimension, span, start, value)
SETTINGS index_granularity = 256, index_granularity_bytes = 65536;

-- What a funnel needs to know of a user within a span; `user` is cityHash64 of the id. Times are epoch milliseconds, the
-- largest number where there is none. `steps` holds every later step as time x 4 + (0 add_to_cart, 1 begin_checkout,
-- 2 order_created, 3 order_paid): which of them count depends on where the period begins.
CREATE TABLE IF NOT EXISTS funnel_by_span
(
    campaign_id LowCardinality(String),
    span UInt16,
    start DateTime('UTC'),
    user UInt64,
    visit SimpleAggregateFunction(min, UInt64),
    view SimpleAggregateFunction(min, UInt64),
    steps SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64))
)
ENGINE = AggregatingMergeTree
ORDER BY (campaign_id, span, start, user);

-- Everything of a kind that arrived in `[start, end)` is folded; `rows` were found there. Folds follow each other without
-- a gap. `target` is how far this one could have gone: the distance tells whether folding keeps up.
CREATE TABLE IF NOT EXISTS folds
(
    kind LowCardinality(String),
    start DateTime64(3, 'UTC'),
    end DateTime64(3, 'UTC'),
    target DateTime64(3, 'UTC'),
    rows UInt64,
    folded_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(folded_at)
ORDER BY (kind, start);

-- The events that arrived lately, wherever their own time is.
ALTER TABLE traffic_events ADD INDEX IF NOT EXISTS arrived arrived_at TYPE minmax GRANULARITY 1;

ALTER TABLE order_events ADD INDEX IF NOT EXISTS arrived arrived_at TYPE minmax GRANULARITY 1;
