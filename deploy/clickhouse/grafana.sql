-- Grafana's access: the business views, and what the server tells of itself. Nothing of it names a person.
--
-- To be run once on a server, by a user that may manage access, after deploy/clickhouse/readonly.sql and in the same way.
-- It may be run again. Grafana's user gets this role and no other:
--     CREATE USER grafana IDENTIFIED BY '...' DEFAULT ROLE warroom_grafana;
--     GRANT warroom_grafana TO grafana;
--
-- On a cluster: grafana_cluster.sql, made from this file by `python -m scripts.cluster_rights`.

-- As warroom_reader, but for a whole dashboard that asks at once, again and again: each question is small.
CREATE SETTINGS PROFILE IF NOT EXISTS warroom_grafana SETTINGS
    readonly = 2 CONST,
    allow_ddl = 0 CONST,
    max_execution_time = 30 MAX 60,
    timeout_overflow_mode = 'throw' CONST,
    max_memory_usage = 2000000000 MAX 2000000000,
    max_threads = 2 MAX 4,
    max_rows_to_read = 500000000 MAX 500000000,
    read_overflow_mode = 'throw' CONST,
    max_result_rows = 100000 MAX 100000,
    result_overflow_mode = 'throw' CONST,
    max_concurrent_queries_for_user = 40 MAX 40;

CREATE ROLE IF NOT EXISTS warroom_grafana SETTINGS PROFILE 'warroom_grafana';

GRANT SELECT ON warroom.bi_campaigns TO warroom_grafana;

GRANT SELECT ON warroom.bi_plan TO warroom_grafana;

GRANT SELECT ON warroom.bi_orders TO warroom_grafana;

GRANT SELECT ON warroom.bi_order_items TO warroom_grafana;

GRANT SELECT ON warroom.bi_sales_by_minute TO warroom_grafana;

GRANT SELECT ON warroom.bi_traffic_by_minute TO warroom_grafana;

GRANT SELECT ON warroom.bi_stock TO warroom_grafana;

GRANT SELECT ON warroom.bi_refusals_by_minute TO warroom_grafana;

GRANT SELECT ON warroom.bi_alerts TO warroom_grafana;

GRANT SELECT ON warroom.bi_completeness TO warroom_grafana;

GRANT SELECT ON system.columns TO warroom_grafana;

GRANT SELECT ON system.disks TO warroom_grafana;

GRANT SELECT ON system.errors TO warroom_grafana;

GRANT SELECT ON system.events TO warroom_grafana;

GRANT SELECT ON system.merges TO warroom_grafana;

GRANT SELECT ON system.metrics TO warroom_grafana;

GRANT SELECT ON system.mutations TO warroom_grafana;

GRANT SELECT ON system.parts TO warroom_grafana;

-- These tables list only what a user may see; seeing that a table is there is not reading it.
GRANT SHOW TABLES, SHOW COLUMNS ON warroom.* TO warroom_grafana;

-- Ten people with a dashboard each that refreshes every 30 s.
CREATE QUOTA IF NOT EXISTS warroom_grafana KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 60000, errors = 1000, read_rows = 100000000000, execution_time = 7200
    TO warroom_grafana;
