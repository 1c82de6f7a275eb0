-- A hash of each event id, for the question whether an id arrived within the horizon, wherever its event stands.
--
-- The tables are ordered by campaign and time, so that question reads a whole column: of 20 million rows 80 MB of hashes
-- (0.1 s of one core) rather than 700 MB of ids (0.6 s). It costs 0.03 microseconds a row; a `bloom_filter` index on
-- `event_id` would cost 0.5, most of it in merges. Uncompressed, because hashes do not compress.

ALTER TABLE traffic_events
    ADD COLUMN IF NOT EXISTS id_hash UInt32 MATERIALIZED toUInt32(cityHash64(event_id)) CODEC(NONE);

ALTER TABLE order_events
    ADD COLUMN IF NOT EXISTS id_hash UInt32 MATERIALIZED toUInt32(cityHash64(event_id)) CODEC(NONE);

ALTER TABLE coupon_events
    ADD COLUMN IF NOT EXISTS id_hash UInt32 MATERIALIZED toUInt32(cityHash64(event_id)) CODEC(NONE);

ALTER TABLE stock_events
    ADD COLUMN IF NOT EXISTS id_hash UInt32 MATERIALIZED toUInt32(cityHash64(event_id)) CODEC(NONE);

ALTER TABLE spend_events
    ADD COLUMN IF NOT EXISTS id_hash UInt32 MATERIALIZED toUInt32(cityHash64(event_id)) CODEC(NONE);
