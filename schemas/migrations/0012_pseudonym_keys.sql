-- The key under which alerts name a suspect (an account, a device) without saying who it is: made once for a store, so
-- that every instance and every restart gives the same name. The oldest row counts, should two ever be made at once.
CREATE TABLE IF NOT EXISTS pseudonym_keys
(
    key String,
    made_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY made_at
SETTINGS non_replicated_deduplication_window = 10;

INSERT INTO pseudonym_keys (key)
SELECT lower(hex(generateUUIDv4(1)) || hex(generateUUIDv4(2)))
WHERE (SELECT count() FROM pseudonym_keys) = 0;
