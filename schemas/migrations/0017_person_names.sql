-- How the rows of this store name people: by a keyed hash of their ids, or by the ids as they were sent. The row with
-- the highest number is in force; ingest refuses to write rows in any other way, for a mix would count everybody twice.
--
-- The deduplication token of an insert is its number, so that of two writers one wins.
CREATE TABLE IF NOT EXISTS person_names
(
    number UInt32,
    -- hashed or plain
    mode LowCardinality(String),
    -- Names the key, and tells nothing about it; empty where ids are plain.
    fingerprint String,
    -- In hexadecimal, only where nobody named a file for it.
    key String,
    -- file or store: where the key is. chosen or before: why ids are plain (asked for, or older than this table).
    origin LowCardinality(String),
    begun_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number
SETTINGS non_replicated_deduplication_window = 100;

-- People whose rows were cut off from them: what they were called, so that rows which come back with a backup or with
-- records that are read again can be cut off once more. Nobody can be found by it who does not hold the key and the id.
--
-- `secret` makes the new names while an erasure runs, and is emptied at its end: nobody can make them again.
CREATE TABLE IF NOT EXISTS erased_people
(
    pseudonym String,
    erasure String,
    secret String,
    begun_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY pseudonym
SETTINGS non_replicated_deduplication_window = 1000;
