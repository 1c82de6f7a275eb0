-- Which instance of the alerts service judges and delivers (services/alerts/lease/protocol.py).

-- One row a term. The insert's deduplication token is the number of the term, so that the first one has it.
CREATE TABLE IF NOT EXISTS alert_leases
(
    term UInt64,
    holder String,
    taken_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY term
SETTINGS non_replicated_deduplication_window = 10000;

-- The last renewal of a term, and whether it was given back. Its inserts must not push the tokens of terms out of the
-- window, and so it is a table of its own.
CREATE TABLE IF NOT EXISTS alert_lease_renewals
(
    term UInt64,
    holder String,
    released Bool,
    at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (term, released);

-- In which term a transition was recorded (0: by a version that knew none) and when, by the store's own clock.
ALTER TABLE alert_transitions
    ADD COLUMN IF NOT EXISTS term UInt64 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS recorded_at DateTime64(3, 'UTC') DEFAULT now64(3);

-- Transitions of an instance that was paused while it recorded them, and woke up when its term was over: they count for
-- nothing. Hardly ever is there one.
CREATE VIEW IF NOT EXISTS alert_overtaken AS
SELECT t.alert_id AS alert_id, t.seq AS seq, t.term AS term
FROM alert_transitions AS t
INNER JOIN (SELECT term - 1 AS term, min(taken_at) AS overtaken_at FROM alert_leases GROUP BY term) AS l
    ON l.term = t.term
WHERE t.term > 0 AND t.recorded_at >= l.overtaken_at;

-- What people ask of an instance that does not hold the lease: the holder does it within a second or two.
CREATE TABLE IF NOT EXISTS alert_requests
(
    alert_id String,
    -- Of the alert as it was shown: one that has fired again since is another matter.
    fired_at DateTime64(3, 'UTC'),
    actor String,
    note String,
    at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 1000;
