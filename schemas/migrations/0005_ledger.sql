-- What ingest has written: one row a block, which is an unbroken range of the offsets of one topic-partition.
--
-- It is inserted last, under the block's token: a row here says that the block's rows and its refusals are in. What
-- `warroom audit` proves rests on it. `[start_offset, end_offset)` may hold offsets without a record (compaction,
-- markers of transactions), so `records` counts what was there; it is rows + refusals + duplicates.
--
-- `opened_at` is the `arrived_at` of the block's rows and grows from block to block of a topic-partition. An
-- `incarnation` is one life of the topic's log; offsets of two lives have nothing to do with each other.
--
-- Every block of every event table has a row here, so the window of tokens is larger by as much.

CREATE TABLE IF NOT EXISTS ingest_blocks
(
    topic LowCardinality(String),
    kafka_partition UInt16,
    kind LowCardinality(String),
    incarnation LowCardinality(String),
    opened_at DateTime64(3, 'UTC'),
    start_offset UInt64 CODEC(Delta, ZSTD(1)),
    end_offset UInt64 CODEC(Delta, ZSTD(1)),
    records UInt64,
    rows UInt64,
    refusals UInt64,
    duplicates UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(opened_at)
ORDER BY (topic, kafka_partition, opened_at)
SETTINGS non_replicated_deduplication_window = 50000;
