-- What the alerts service remembers: every transition of every alert, what became of its delivery, and silences.

-- One row a transition, with the whole alert as it stood after it, so that a transition is one insert and cannot be
-- half written. The alert as it is now is the row with the highest `seq` of its `alert_id`. `seq` counts from 1.
CREATE TABLE IF NOT EXISTS alert_transitions
(
    -- Begins with the onset in milliseconds, in hexadecimal: sorts by time.
    alert_id String,
    seq UInt32,
    at DateTime64(3, 'UTC'),
    state LowCardinality(String),
    -- Who acknowledged and why; empty for what the service did by itself.
    actor String,
    note String,
    rule LowCardinality(String),
    severity LowCardinality(String),
    -- `*` for an alert about the pipeline, which concerns every campaign.
    campaign_id LowCardinality(String),
    -- JSON objects.
    labels String CODEC(ZSTD(1)),
    evidence String CODEC(ZSTD(1)),
    -- Names the rule and labels: the same in every incident of one thing.
    fingerprint String,
    value Float64,
    threshold Float64,
    summary String CODEC(ZSTD(1)),
    runbook String CODEC(ZSTD(1)),
    starts_at DateTime64(3, 'UTC'),
    fired_at DateTime64(3, 'UTC'),
    ends_at Nullable(DateTime64(3, 'UTC')),
    complete_until DateTime64(3, 'UTC'),
    -- What receivers are to hear of this transition: `firing`, `resolved`, or nothing (acknowledged, or silenced).
    notice LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (alert_id, seq)
SETTINGS non_replicated_deduplication_window = 10000;

-- The end of a notice's way: `delivered`, or `undelivered` when the receiver refused it or its time was up. A notice
-- without a row here is still to be delivered.
CREATE TABLE IF NOT EXISTS alert_deliveries
(
    alert_id String,
    seq UInt32,
    receiver LowCardinality(String),
    outcome LowCardinality(String),
    attempts UInt32,
    detail String,
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (alert_id, seq, receiver)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS alert_silences
(
    silence_id String,
    -- A JSON object of label to value.
    matchers String,
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    created_by String,
    comment String,
    created_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY silence_id
SETTINGS non_replicated_deduplication_window = 1000;
