-- What is needed to send a refused record back to its topic, once.

-- The key's bytes in base64 where `key` cannot give them back, because they are not UTF-8; else empty.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS key_base64 String DEFAULT '' CODEC(ZSTD(1));

-- Bytes of the record's value; the column `value` is not read to tell them.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS value_bytes UInt32 DEFAULT
    intDiv(length(value) * 3, 4) - endsWith(value, '=') - endsWith(value, '==');

-- A letter that was sent back, in two rows. `intended` is written while the Kafka transaction that holds the record is
-- still open, so that nobody can have read it; `done` says that the transaction was committed, `void` that it never
-- was nor can be, `unknown` that nobody can tell. All letters of a batch share one transaction, and each step of it is
-- one insert. A batch that is only `intended` is settled by whoever redrives next, from the batch that Kafka says was
-- committed last.
CREATE TABLE IF NOT EXISTS dead_letter_redrives
(
    batch String,
    step LowCardinality(String),
    at DateTime64(3, 'UTC'),
    -- Which letter. `arrived_at` tells letters of a topic that was created anew from those of the old one.
    topic LowCardinality(String),
    kafka_partition UInt16,
    kafka_offset UInt64,
    arrived_at DateTime64(3, 'UTC'),
    -- Where it went, in the same topic.
    to_partition UInt16,
    to_offset UInt64,
    -- 1 when the record was changed, 0 when it went as it was.
    changed UInt8
)
ENGINE = MergeTree
ORDER BY (topic, kafka_partition, kafka_offset, arrived_at, batch, step)
SETTINGS non_replicated_deduplication_window = 10000;
