-- A span of 0 minutes that starts at 0: all that a campaign has, whenever it happened. Most questions are about a whole
-- campaign, and so read one set and not those of every day and hour; a funnel reads each user once.
--
-- The tables are built anew, for marks are laid when parts are written. A row holds up to 1 MB, and with the default of
-- 10 MB between two marks a question for one set read the ten around it: three times the cost. What they hold comes from
-- the events alone; until all of it is folded again, questions are answered from the minutes.
--
-- Partition 1 holds the spans of 0 minutes, so that these can be merged into one part by themselves: each part that holds
-- a piece of a large set makes a question as dear as the whole set does.
DROP TABLE IF EXISTS uniques_by_span;

CREATE TABLE uniques_by_span
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

TRUNCATE TABLE funnel_by_span;

TRUNCATE TABLE folds;
