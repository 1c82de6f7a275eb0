-- Direct SQL for analysts and BI tools: the business views and nothing else, within limits.
--
-- To be run once on a server, by a user that may manage access, after `warroom migrate`:
--     clickhouse-client --user admin --ask-password --multiquery < deploy/clickhouse/readonly.sql
-- It may be run again. The database is `warroom`, as in WARROOM_CLICKHOUSE_URL; change the name if yours is another.
-- Whoever is to read gets the role as the default one:
--     CREATE USER analyst IDENTIFIED BY '...' DEFAULT ROLE warroom_reader;
--     GRANT warroom_reader TO analyst;
--
-- On a cluster: readonly_cluster.sql, made from this file by `python -m scripts.cluster_rights`.

-- `readonly = 2` lets a driver change settings, which JDBC and ODBC do at once; MAX and CONST are how far.
CREATE SETTINGS PROFILE IF NOT EXISTS warroom_reader SETTINGS
    readonly = 2 CONST,
    allow_ddl = 0 CONST,
    max_execution_time = 30 MAX 120,
    timeout_overflow_mode = 'throw' CONST,
    max_memory_usage = 4000000000 MAX 4000000000,
    max_threads = 4 MAX 4,
    max_rows_to_read = 2000000000 MAX 2000000000,
    read_overflow_mode = 'throw' CONST,
    max_result_rows = 1000000 MAX 1000000,
    result_overflow_mode = 'throw' CONST,
    max_concurrent_queries_for_user = 4 MAX 4;

CREATE ROLE IF NOT EXISTS warroom_reader SETTINGS PROFILE 'warroom_reader';

GRANT SELECT ON warroom.bi_campaigns TO warroom_reader;

GRANT SELECT ON warroom.bi_plan TO warroom_reader;

GRANT SELECT ON warroom.bi_orders TO warroom_reader;

GRANT SELECT ON warroom.bi_order_items TO warroom_reader;

GRANT SELECT ON warroom.bi_sales_by_minute TO warroom_reader;

GRANT SELECT ON warroom.bi_traffic_by_minute TO warroom_reader;

GRANT SELECT ON warroom.bi_coupons TO warroom_reader;

GRANT SELECT ON warroom.bi_ad_spend TO warroom_reader;

GRANT SELECT ON warroom.bi_stock TO warroom_reader;

GRANT SELECT ON warroom.bi_refusals_by_minute TO warroom_reader;

GRANT SELECT ON warroom.bi_alerts TO warroom_reader;

GRANT SELECT ON warroom.bi_completeness TO warroom_reader;

-- Each user has an hour's worth of their own.
CREATE QUOTA IF NOT EXISTS warroom_reader KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 1000, errors = 200, result_rows = 50000000, read_rows = 50000000000,
        execution_time = 1800
    TO warroom_reader;
