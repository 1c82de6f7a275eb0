-- A silence may be ended before its time, by somebody, and may be for hours that come again: then it is a maintenance
-- window. The row with the highest `version` is the silence as it stands.
ALTER TABLE alert_silences
    ADD COLUMN IF NOT EXISTS version UInt32 DEFAULT 1,
    ADD COLUMN IF NOT EXISTS ended_by String DEFAULT '',
    -- A JSON object: hours, days, timezone.
    ADD COLUMN IF NOT EXISTS repeats String DEFAULT '{}';

-- Since when conditions hold that have to hold for long before they fire, so that a deployment does not begin to count
-- anew. One row, replaced every few seconds while there are any.
CREATE TABLE IF NOT EXISTS alert_pending
(
    name LowCardinality(String),
    -- A JSON object: fingerprint to epoch milliseconds.
    since String,
    seen_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY name;
