"""Whether the numbers are fresh, whole and served: ingest, completeness, the API and the stream."""

from __future__ import annotations

from scripts.grafana.model import NEUTRAL, Dashboard, Json, Panel, Prom, Query, Row, Sql, Step, falling, rising
from scripts.grafana.shared import ALL_ALERTS, DASHBOARDS, WALL, link, runbooks

_RATE = "$__rate_interval"
YES_NO: list[Json] = [
    {
        "type": "value",
        "options": {
            "-1": {"text": "not yet", "index": 0},
            "0": {"text": "no", "index": 1},
            "1": {"text": "yes", "index": 2},
        },
    }
]


def stat(
    title: str,
    description: str,
    expr: str,
    unit: str,
    *,
    steps: tuple[Step, ...] = NEUTRAL,
    width: int = 3,
    decimals: int | None = None,
    yes_no: bool = False,
) -> Panel:
    """A present value with its recent course."""
    return Panel(
        "stat",
        title,
        description,
        [Prom(expr)],
        unit,
        width,
        4,
        decimals=decimals,
        steps=steps,
        mappings=YES_NO if yes_no else (),
    )


def lines(
    title: str,
    description: str,
    queries: list[Query],
    unit: str,
    *,
    width: int = 8,
    steps: tuple[Step, ...] = NEUTRAL,
    stacked: bool = False,
) -> Panel:
    """Lines over time, with the thresholds drawn where there are any."""
    custom: Json = {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40} if stacked else {}
    drawn: Json = {"thresholdsStyle": {"mode": "line"}} if len(steps) > 1 else {}
    return Panel("timeseries", title, description, queries, unit, width, minimum=0, steps=steps, custom=custom | drawn)


def quantiles(metric: str, by: str, legend: str) -> list[Query]:
    """The median and the 99th percentile of a histogram."""
    return [
        Prom(f"histogram_quantile({q}, sum by ({by}) (rate({metric}_bucket[{_RATE}])))", f"{legend}{name}")
        for q, name in ((0.5, "median"), (0.99, "99 %"))
    ]


STATE = Row(
    "State",
    [
        stat(
            "Ready",
            "Whether every service does its work; /readyz says why not.",
            "min(warroom_service_ready)",
            "none",
            steps=falling(0, 1),
            yes_no=True,
        ),
        stat(
            "Age of the numbers",
            "Age of the oldest watermark of any partition. Above 30 s rules are not judged.",
            "max(warroom_ingest_lag_seconds)",
            "s",
            steps=rising(10, 30),
            decimals=1,
        ),
        stat(
            "Freshness kept",
            "Share of the last six hours in which numbers were at most 30 s old. The aim is 99.5 %.",
            "1 - warroom:stale:ratio6h",
            "percentunit",
            steps=falling(0.97, 0.995),
            decimals=2,
        ),
        stat(
            "Waiting in Kafka",
            "Records that are not in the tables yet.",
            "sum(warroom_ingest_lag_records)",
            "locale",
            steps=rising(10_000, 100_000),
        ),
        stat(
            "Stalled",
            "Partitions whose block cannot be written: ClickHouse or Kafka does not take it.",
            "sum(warroom_ingest_stalled_partitions)",
            "none",
            steps=rising(1, 1),
        ),
        stat(
            "Missing",
            "Records that Kafka removed before they were surely written, in the last day.",
            "sum(increase(warroom_ingest_missing_records_total[1d])) or vector(0)",
            "locale",
            steps=rising(1, 1),
        ),
        stat(
            "Refused",
            "Share of records in the last five minutes that became dead letters.",
            "warroom:ingest_refusals:ratio_rate5m",
            "percentunit",
            steps=rising(0.001, 0.01),
            decimals=2,
        ),
        stat(
            "Audit clean",
            "Whether the last audit on schedule found records and tables to agree; they may be off.",
            "min(warroom_audit_clean and warroom_audit_last_run_timestamp_seconds > 0) or vector(-1)",
            "none",
            steps=falling(0, 1),
            yes_no=True,
        ),
    ],
)

FLOW = Row(
    "What comes in",
    [
        lines(
            "Records a second",
            "Consumed, by kind of event.",
            [Prom("kind:warroom_ingest_records:rate1m", "{{kind}}")],
            "cps",
            stacked=True,
        ),
        lines(
            "What became of them",
            "Events written, refused, and seen before; a repeat counts for nothing.",
            [
                Prom(f"sum(rate(warroom_ingest_rows_total[{_RATE}]))", "written"),
                Prom(f"sum(rate(warroom_ingest_refusals_total[{_RATE}]))", "refused"),
                Prom(f"sum(rate(warroom_ingest_duplicates_total[{_RATE}]))", "seen before"),
            ],
            "cps",
        ),
        lines(
            "Age of the watermark, by topic",
            "How old the numbers are; the oldest partition of each topic.",
            [Prom("max by (topic) (warroom_ingest_lag_seconds)", "{{topic}}")],
            "s",
            steps=rising(30, 60),
        ),
        lines(
            "Waiting in Kafka, by topic",
            "Records that are not in the tables yet.",
            [Prom("sum by (topic) (warroom_ingest_lag_records)", "{{topic}}")],
            "locale",
        ),
        Panel(
            "timeseries",
            "Refused, by reason",
            "Dead letters by the minute in which they arrived.",
            [
                Sql(
                    """
SELECT $__timeInterval(minute) AS time, reason, sum(records) AS records
FROM bi_refusals_by_minute
WHERE $__timeFilter(minute)
GROUP BY time, reason
ORDER BY time, reason
""",
                    series=True,
                )
            ],
            "locale",
            8,
            interval="1m",
            line_name="${__field.labels.reason}",
            minimum=0,
            custom={"drawStyle": "bars", "fillOpacity": 60, "stacking": {"mode": "normal", "group": "A"}},
        ),
        Panel(
            "table",
            "Complete until",
            "Every event of a kind that was sent before this moment is in.",
            [
                Sql("""
SELECT kind AS "Kind", complete_until AS "Complete until",
    dateDiff('millisecond', complete_until, now64(3)) / 1000 AS "Age"
FROM bi_completeness
ORDER BY "Age" DESC
""")
            ],
            "none",
            8,
            decimals=1,
            overrides=[
                {
                    "matcher": {"id": "byName", "options": "Complete until"},
                    "properties": [{"id": "unit", "value": "dateTimeAsIso"}],
                },
                {"matcher": {"id": "byName", "options": "Age"}, "properties": [{"id": "unit", "value": "s"}]},
            ],
        ),
    ],
)

WRITING = Row(
    "Writing",
    [
        lines(
            "Time of an insert",
            "One block into one table, failed inserts included.",
            quantiles("warroom_ingest_insert_duration_seconds", "table, le", "{{table}} "),
            "s",
        ),
        lines(
            "Inserts that failed",
            "They are tried again under the same token: nothing is lost, nothing counts twice.",
            [
                Prom(
                    'sum by (table) (rate(warroom_ingest_insert_duration_seconds_count{outcome="failed"}'
                    f"[{_RATE}])) or vector(0)",
                    "{{table}}",
                )
            ],
            "cps",
        ),
        lines(
            "Records of a block",
            "The mean by kind. Many small blocks cost more than few large ones.",
            [
                Prom(
                    f"sum by (kind) (rate(warroom_ingest_block_records_sum[{_RATE}]))"
                    f" / sum by (kind) (rate(warroom_ingest_block_records_count[{_RATE}]))",
                    "{{kind}}",
                )
            ],
            "locale",
        ),
        lines(
            "Fetched and not yet written",
            "Bytes of record values; at three quarters of the bound partitions are paused.",
            [Prom("sum by (instance) (warroom_ingest_buffered_bytes)", "{{instance}}")],
            "bytes",
        ),
        lines(
            "Partitions held back",
            "Paused because writing is slower than reading, or stalled.",
            [
                Prom("sum(warroom_ingest_paused_partitions)", "paused"),
                Prom("sum(warroom_ingest_stalled_partitions)", "stalled"),
            ],
            "none",
        ),
        lines(
            "Blocks built again",
            "After a crash or a rebalance, in an hour.",
            [Prom("sum by (kind) (increase(warroom_ingest_replays_total[1h]))", "{{kind}}")],
            "none",
        ),
        lines(
            "Time of a commit",
            "Until Kafka has acknowledged the offsets.",
            quantiles("warroom_ingest_commit_duration_seconds", "le", ""),
            "s",
        ),
        lines(
            "Was it seen before?",
            "Ids that the store was asked about, by its answer. `no` is a false alarm.",
            [Prom(f"sum by (answer) (rate(warroom_ingest_duplicate_questions_total[{_RATE}]))", "{{answer}}")],
            "cps",
        ),
        lines(
            "Memory of the duplicate filters",
            "By process.",
            [Prom("sum by (instance) (warroom_ingest_duplicate_filter_bytes)", "{{instance}}")],
            "bytes",
        ),
    ],
)

SERVING = Row(
    "Serving",
    [
        lines(
            "Requests a second",
            "By status.",
            [Prom(f"sum by (status) (rate(warroom_http_requests_total[{_RATE}]))", "{{status}}")],
            "reqps",
        ),
        lines(
            "Time of an answer",
            "The slowest ten routes, 95th percentile. The stream is left out: it lasts for hours.",
            [Prom("topk(10, route:warroom_http_request_duration_seconds:p95_5m)", "{{route}}")],
            "s",
            steps=rising(1, 2),
        ),
        lines(
            "Requests that failed",
            "Share with a status of 5xx.",
            [Prom("warroom:http_errors:ratio_rate5m", "failed")],
            "percentunit",
            steps=rising(0.01, 0.02),
        ),
        lines(
            "Viewers",
            "Connected to the live streams, and disconnected for being slow, in five minutes.",
            [
                Prom("sum(warroom_stream_viewers)", "connected"),
                Prom("sum(increase(warroom_stream_dropped_viewers_total[5m]))", "disconnected"),
            ],
            "none",
        ),
        lines(
            "How late a screen is",
            "From asking for a snapshot until the last viewer's socket had it, 95th percentile.",
            [Prom("warroom:stream_frame_duration_seconds:p95_5m", "95 %")],
            "s",
            steps=rising(0.5, 1),
        ),
        lines(
            "Reading the campaigns' numbers",
            "Time of one refresh of what Prometheus is told, and its failures.",
            [
                Prom(
                    f"rate(warroom_business_refresh_duration_seconds_sum[{_RATE}])"
                    f" / rate(warroom_business_refresh_duration_seconds_count[{_RATE}])",
                    "{{instance}}, mean",
                ),
                Prom("increase(warroom_business_refresh_failures_total[5m])", "{{instance}}, failures in 5 minutes"),
            ],
            "s",
        ),
        lines(
            "Memory of the processes",
            "Resident.",
            [Prom('process_resident_memory_bytes{job="warroom"}', "{{instance}}")],
            "bytes",
        ),
        lines(
            "Processor",
            "Seconds a second: 1 is one core.",
            [Prom(f'rate(process_cpu_seconds_total{{job="warroom"}}[{_RATE}])', "{{instance}}")],
            "none",
        ),
        lines(
            "Open files",
            "Each viewer is one. Share of what the process may open.",
            [Prom('process_open_fds{job="warroom"} / process_max_fds{job="warroom"}', "{{instance}}")],
            "percentunit",
            steps=rising(0.6, 0.8),
        ),
    ],
)


def ingest() -> Dashboard:
    """Reads docs/runbooks.md."""
    return Dashboard(
        "warroom-ingest",
        "Warroom: ingest and serving",
        "Whether the numbers are fresh, whole, and served.",
        [STATE, FLOW, WRITING, SERVING, runbooks("Services", "Ingest", "Numbers and stream")],
        [WALL],
        [ALL_ALERTS],
        [DASHBOARDS, link("Dead letters", "/api/v1/dead-letters?limit=100")],
    )
