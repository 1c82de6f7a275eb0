-- What an alert says beside its numbers, as one JSON object: owner, phase, rendered annotations, estimated impact, and
-- the alert that is its cause. Nothing is searched by these, so that they need no columns of their own.
ALTER TABLE alert_transitions ADD COLUMN IF NOT EXISTS details String DEFAULT '{}' CODEC(ZSTD(1));
