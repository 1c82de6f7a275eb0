-- Who did what: acknowledged, silenced, exported, changed a target, signed in, was refused. No address of a person. A
-- batch that is sent again has the same token and is taken once.
CREATE TABLE IF NOT EXISTS activity
(
    id String,
    at DateTime64(3, 'UTC'),
    -- The name that somebody is known by here: that of an API key, or the one their provider tells.
    actor String,
    -- The provider's own name of a person, which does not change; empty for keys.
    subject String,
    role LowCardinality(String),
    -- open, key, token, session.
    how LowCardinality(String),
    action LowCardinality(String),
    campaign_id String,
    target String,
    -- done, refused, failed.
    result LowCardinality(String),
    -- A JSON object: what was changed from what to what, why it was refused.
    detail String
)
ENGINE = MergeTree
ORDER BY (at, id)
SETTINGS non_replicated_deduplication_window = 10000;
