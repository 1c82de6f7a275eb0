-- What people declare, and how far ingest has come.

-- A campaign as it was PUT, the latest version of each id being in force.
CREATE TABLE IF NOT EXISTS campaigns
(
    campaign_id String,
    version UInt64,
    -- JSON in the form of the PUT body.
    body String CODEC(ZSTD(1)),
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY campaign_id
SETTINGS non_replicated_deduplication_window = 1000;

-- Written by ingest about once a second. `watermark`: every record that Kafka held before this moment is in the tables
-- or among the dead letters. `next_offset` is the first that is not, `end_offset` what the broker held.
CREATE TABLE IF NOT EXISTS ingest_progress
(
    topic LowCardinality(String),
    kafka_partition UInt16,
    kind LowCardinality(String),
    next_offset UInt64,
    end_offset UInt64,
    watermark DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (topic, kafka_partition)
SETTINGS non_replicated_deduplication_window = 1000;
