"""The store: what its system tables say, and what Warroom sees of it."""

from __future__ import annotations

from scripts.grafana.ingest import lines, stat
from scripts.grafana.model import NEUTRAL, Dashboard, Panel, Prom, Row, Sql, falling, rising
from scripts.grafana.shared import ALL_ALERTS, DASHBOARDS, WALL, link, runbooks

_RATE = "$__rate_interval"


def _now(title: str, description: str, sql: str, unit: str, *, limit: float | None = None) -> Panel:
    steps = rising(limit, 2 * limit) if limit else NEUTRAL
    return Panel("stat", title, description, [Sql(sql)], unit, 4, 4, steps=steps)


STATE = Row(
    "State",
    [
        stat(
            "Disk left",
            "The fullest disk. Below a tenth somebody is told.",
            "min(warroom_store_disk_free_bytes / warroom_store_disk_size_bytes)",
            "percentunit",
            steps=falling(0.1, 0.3),
            width=4,
            decimals=0,
        ),
        stat(
            "Parts of the fullest partition",
            "Above 300 merges do not keep up; from 1,000 on inserts are slowed.",
            "max(warroom_store_table_parts)",
            "none",
            steps=rising(100, 300),
            width=4,
        ),
        _now("Merges", "Running now.", "SELECT count() AS merges FROM system.merges", "none"),
        _now(
            "Mutations",
            "That are not done.",
            "SELECT countIf(NOT is_done) AS mutations FROM system.mutations",
            "none",
            limit=1,
        ),
        _now(
            "Statements",
            "Running now, of all users.",
            "SELECT value FROM system.metrics WHERE metric = 'Query'",
            "none",
            limit=50,
        ),
        _now(
            "Memory",
            "That the server accounts for.",
            "SELECT greatest(value, 0) AS bytes FROM system.metrics WHERE metric = 'MemoryTracking'",
            "bytes",
        ),
    ],
)

SEEN = Row(
    "As Warroom sees it",
    [
        lines(
            "Time of a call",
            "99th percentile by who made it, waiting and failures included.",
            [Prom("caller:warroom_store_call_duration_seconds:p99_5m", "{{caller}}")],
            "s",
            steps=rising(1, 2),
        ),
        lines(
            "Calls a second",
            "By who made them.",
            [Prom(f"sum by (caller) (rate(warroom_store_call_duration_seconds_count[{_RATE}]))", "{{caller}}")],
            "cps",
        ),
        lines(
            "Time of an insert",
            "99th percentile, by table.",
            [Prom("table:warroom_ingest_insert_duration_seconds:p99_5m", "{{table}}")],
            "s",
            steps=rising(1, 5),
        ),
        lines(
            "Free space",
            "By disk, and where it will be in a day at the pace of the last six hours.",
            [
                Prom("min by (disk) (warroom_store_disk_free_bytes)", "{{disk}}"),
                Prom(
                    "clamp_min(min by (disk) (predict_linear(warroom_store_disk_free_bytes[6h], 86400)), 0)",
                    "{{disk}} in a day",
                ),
            ],
            "bytes",
        ),
        lines(
            "Size of tables",
            "The ten largest.",
            [Prom("topk(10, max by (table) (warroom_store_table_bytes))", "{{table}}")],
            "bytes",
            stacked=True,
        ),
        lines(
            "Folds",
            "How far folding is behind: until then a question reads events one by one.",
            [Prom("max by (kind) (warroom_metrics_fold_lag_seconds)", "{{kind}}")],
            "s",
            steps=rising(120, 300),
        ),
    ],
)

TABLES = Row(
    "Tables",
    [
        Panel(
            "table",
            "Tables",
            "Active parts of this database.",
            [
                Sql("""
SELECT table AS "Table", sum(rows) AS "Rows", sum(bytes_on_disk) AS "On disk",
    sum(data_uncompressed_bytes) / greatest(sum(data_compressed_bytes), 1) AS "Compressed by",
    count() AS "Parts", uniqExact(partition_id) AS "Partitions", sum(primary_key_bytes_in_memory) AS "Keys in memory",
    max(modification_time) AS "Last written"
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table
ORDER BY "On disk" DESC
LIMIT 50
""")
            ],
            "locale",
            24,
            10,
            decimals=1,
            overrides=[
                {
                    "matcher": {"id": "byRegexp", "options": "/On disk|Keys in memory/"},
                    "properties": [{"id": "unit", "value": "bytes"}],
                },
                {
                    "matcher": {"id": "byName", "options": "Last written"},
                    "properties": [{"id": "unit", "value": "dateTimeAsIso"}],
                },
            ],
        ),
        Panel(
            "table",
            "Parts by partition",
            "The fullest first. A partition is a day of arrival.",
            [
                Sql("""
SELECT table AS "Table", partition AS "Partition", count() AS "Parts", sum(rows) AS "Rows",
    sum(bytes_on_disk) AS "On disk"
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table, partition
ORDER BY "Parts" DESC
LIMIT 50
""")
            ],
            "locale",
            12,
            9,
            overrides=[
                {"matcher": {"id": "byName", "options": "On disk"}, "properties": [{"id": "unit", "value": "bytes"}]}
            ],
        ),
        Panel(
            "table",
            "Largest columns",
            "Where the bytes are. Small parts do not tell the sizes of their columns.",
            [
                Sql("""
SELECT table AS "Table", name AS "Column", data_compressed_bytes AS "On disk",
    data_uncompressed_bytes / greatest(data_compressed_bytes, 1) AS "Compressed by"
FROM system.columns
WHERE database = currentDatabase()
ORDER BY data_compressed_bytes DESC
LIMIT 30
""")
            ],
            "locale",
            12,
            9,
            decimals=1,
            overrides=[
                {"matcher": {"id": "byName", "options": "On disk"}, "properties": [{"id": "unit", "value": "bytes"}]}
            ],
        ),
        Panel(
            "table",
            "Disks",
            "Of the server.",
            [
                Sql("""
SELECT name AS "Disk", path AS "Path", free_space AS "Free", total_space AS "Size",
    free_space / greatest(total_space, 1) AS "Left"
FROM system.disks
ORDER BY "Left"
""")
            ],
            "bytes",
            12,
            7,
            overrides=[
                {"matcher": {"id": "byName", "options": "Left"}, "properties": [{"id": "unit", "value": "percentunit"}]}
            ],
        ),
        Panel(
            "table",
            "Work since the start",
            "Counters of the server; two looks tell the pace.",
            [
                Sql("""
SELECT event AS "Event", value AS "Count", description AS "Meaning"
FROM system.events
WHERE event IN ('Query', 'SelectQuery', 'InsertQuery', 'FailedQuery', 'FailedSelectQuery', 'FailedInsertQuery',
    'InsertedRows', 'InsertedBytes', 'SelectedRows', 'SelectedBytes', 'DelayedInserts', 'RejectedInserts',
    'MergedRows', 'Merge')
ORDER BY event
""")
            ],
            "locale",
            12,
            7,
        ),
        Panel(
            "table",
            "Errors since the start",
            "By how often. Messages are not shown: they quote statements and data.",
            [
                Sql("""
SELECT name AS "Error", sum(value) AS "Times", max(last_error_time) AS "Last"
FROM system.errors
GROUP BY name
ORDER BY "Times" DESC
LIMIT 30
""")
            ],
            "locale",
            24,
            8,
            overrides=[
                {
                    "matcher": {"id": "byName", "options": "Last"},
                    "properties": [{"id": "unit", "value": "dateTimeAsIso"}],
                }
            ],
        ),
    ],
)


def clickhouse() -> Dashboard:
    """Reads docs/runbooks.md."""
    return Dashboard(
        "warroom-clickhouse",
        "Warroom: ClickHouse",
        "The store: space, parts, merges, errors, and how long Warroom waits for it.",
        [STATE, SEEN, TABLES, runbooks("ClickHouse")],
        [WALL],
        [ALL_ALERTS],
        [DASHBOARDS, link("The wall", "/")],
        refresh="1m",
    )
