"""Every Prometheus metric that Warroom exports, in one place.

Identifiers never become labels, but for the few campaigns that are running.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as PrometheusMetric
from prometheus_client.registry import Collector

from schemas.metrics import MEASURES, METRICS, Shape, Unit

# HTTP
HTTP_REQUESTS = Counter(
    "warroom_http_requests_total",
    "HTTP requests by route template, method and status.",
    ("route", "method", "status"),
)
HTTP_REQUEST_SECONDS = Histogram(
    "warroom_http_request_duration_seconds",
    "Time to answer an HTTP request, by route template.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Access
ACTIVITY_LOST = Counter(
    "warroom_activity_lost_total",
    "Entries of the activity log that are in the process's log alone; see docs/access.md.",
)
SIGN_INS = Counter("warroom_sign_ins_total", "People who signed in or tried to, by way and result.", ("way", "result"))
REFUSALS = Counter("warroom_refused_calls_total", "Calls that were refused, by reason.", ("reason",))
KEYS_FILE_VALID = Gauge(
    "warroom_keys_file_valid", "1 while the file of API keys is read as it stands, 0 while an earlier one is in force."
)
HTTP_REFUSED = Counter(
    "warroom_http_refused_total",
    "Requests and connections that were refused before anything was done for them, by why: `host` and `cross-site` "
    "(what Host and Origin say), `head`, `body`, `encoding`, `slow-head`, `slow-body`, `slow-reader`, `slow-answer`, "
    "`rate`, `at-once`, `connections`.",
    ("reason",),
)

# Alerts
ALERT_CAMPAIGNS = Gauge(
    "warroom_alert_campaigns", "Active campaigns that the rules look at; at 500 there may be more that they do not."
)

# The live stream
STREAM_VIEWERS = Gauge("warroom_stream_viewers", "Viewers connected to the live streams of all campaigns.")
STREAM_DROPPED_VIEWERS = Counter(
    "warroom_stream_dropped_viewers_total", "Viewers disconnected because they did not take what they were sent."
)
STREAM_SKIPPED_FRAMES = Counter(
    "warroom_stream_skipped_frames_total", "Frames not sent to a viewer that had not taken the one before."
)
STREAM_FRAME_SECONDS = Histogram(
    "warroom_stream_frame_duration_seconds",
    "Time from asking for a snapshot until every viewer's socket had it; how late the last viewer is.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

# Store
STORE_CALL_SECONDS = Histogram(
    "warroom_store_call_duration_seconds",
    "Time of one call to ClickHouse by who made it, waiting and failures included.",
    ("caller",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Ingest
INGEST_RECORDS = Counter("warroom_ingest_records_total", "Records consumed, by kind of event.", ("kind",))
INGEST_ROWS = Counter("warroom_ingest_rows_total", "Events written to the tables, by kind.", ("kind",))
INGEST_REFUSALS = Counter("warroom_ingest_refusals_total", "Records sent to the dead-letter topic.", ("kind", "reason"))
INGEST_DUPLICATES = Counter("warroom_ingest_duplicates_total", "Events whose id was seen before, by kind.", ("kind",))
INGEST_DUPLICATE_QUESTIONS = Counter(
    "warroom_ingest_duplicate_questions_total",
    "Ids that the store was asked about, by kind and by whether it had them.",
    ("kind", "answer"),
)
INGEST_DUPLICATE_QUESTION_SECONDS = Histogram(
    "warroom_ingest_duplicate_question_duration_seconds",
    "Time of asking the store about the ids of one block, failures included.",
    ("kind", "outcome"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
INGEST_DUPLICATE_FILTER_BYTES = Gauge(
    "warroom_ingest_duplicate_filter_bytes", "Memory that the duplicate filters take, or will after the horizon."
)
INGEST_BLOCK_RECORDS = Histogram(
    "warroom_ingest_block_records",
    "Records of one block.",
    ("kind",),
    buckets=(1, 10, 100, 1_000, 10_000, 50_000, 100_000, 500_000),
)
INGEST_BLOCK_BYTES = Histogram(
    "warroom_ingest_block_bytes",
    "Bytes of the record values of one block.",
    ("kind",),
    buckets=(1e3, 1e4, 1e5, 1e6, 4e6, 16e6, 64e6),
)
INGEST_INSERT_SECONDS = Histogram(
    "warroom_ingest_insert_duration_seconds",
    "Time of one insert, failed ones included.",
    ("table", "outcome"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
INGEST_COMMIT_SECONDS = Histogram(
    "warroom_ingest_commit_duration_seconds",
    "Time until Kafka has acknowledged one commit of offsets.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
INGEST_BUFFERED_BYTES = Gauge(
    "warroom_ingest_buffered_bytes", "Bytes of record values that are fetched and not yet in the tables."
)
INGEST_PAUSED_PARTITIONS = Gauge(
    "warroom_ingest_paused_partitions", "Assigned partitions from which nothing is fetched for the moment."
)
INGEST_STALLED_PARTITIONS = Gauge(
    "warroom_ingest_stalled_partitions", "Assigned partitions whose block cannot be written for the moment."
)
INGEST_LAG_RECORDS = Gauge(
    "warroom_ingest_lag_records", "Records in Kafka that are not in the tables.", ("topic", "partition")
)
INGEST_LAG_SECONDS = Gauge("warroom_ingest_lag_seconds", "Age of the watermark of a partition.", ("topic", "partition"))
METRICS_FOLD_LAG_SECONDS = Gauge(
    "warroom_metrics_fold_lag_seconds",
    "Age of the arrivals that could be folded into spans and are not yet; questions read them one by one.",
    ("kind",),
)
INGEST_REPLAYS = Counter(
    "warroom_ingest_replays_total", "Blocks built again after a crash or a rebalance, by kind.", ("kind",)
)
INGEST_MISSING_RECORDS = Counter(
    "warroom_ingest_missing_records_total",
    "Records that Kafka removed before they were surely in the tables, by topic.",
    ("topic",),
)

# Audit
AUDIT_CLEAN = Gauge("warroom_audit_clean", "1 when the last audit on schedule found nothing wrong, else 0.")
AUDIT_PROBLEMS = Gauge(
    "warroom_audit_problems", "Problems that the last audit on schedule found, by check.", ("check",)
)
AUDIT_LAST_RUN = Gauge("warroom_audit_last_run_timestamp_seconds", "When the last audit on schedule was made.")
AUDIT_SECONDS = Gauge("warroom_audit_duration_seconds", "How long the last audit took.")

# Services
SERVICE_READY = Gauge("warroom_service_ready", "1 when the service does its work, else 0.", ("service",))

# Alerts
ALERTS = Gauge("warroom_alerts", "Alerts that are pending or open, by rule and state.", ("rule", "state"))
ALERT_TRANSITIONS = Counter(
    "warroom_alert_transitions_total", "Recorded transitions of alerts, by rule and new state.", ("rule", "state")
)
ALERT_EVALUATION_SECONDS = Histogram(
    "warroom_alert_evaluation_duration_seconds",
    "Time of one look at all rules, reading the store included.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ALERT_EVALUATION_FAILURES = Counter(
    "warroom_alert_evaluation_failures_total", "Looks that failed because the store did not answer."
)
ALERT_RULE_FAILURES = Counter(
    "warroom_alert_rule_failures_total", "Looks in which a rule failed by a fault of its own, by rule.", ("rule",)
)
ALERT_RULES_RELOAD_SUCCESSFUL = Gauge(
    "warroom_alert_rules_reload_successful", "1 when what the rules file says is in force, 0 when it was refused."
)
ALERT_RULES_RELOADED_AT = Gauge(
    "warroom_alert_rules_reload_timestamp_seconds", "When the rules in force were taken from their file."
)
ALERT_DELIVERIES = Counter(
    "warroom_alert_deliveries_total",
    "Notices that came to an end at a receiver, by its type and by outcome (delivered, undelivered).",
    ("type", "outcome"),
)
ALERT_DELIVERY_ATTEMPTS = Counter(
    "warroom_alert_delivery_attempts_total",
    "Messages sent to receivers, failed ones included, by the receiver's type.",
    ("type",),
)
ALERT_DELIVERY_SECONDS = Histogram(
    "warroom_alert_delivery_duration_seconds",
    "Time from an alert's transition until a receiver had taken the notice, by the receiver's type.",
    ("type",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
ALERT_RECEIVERS_FAILING = Gauge(
    "warroom_alert_receivers_failing", "Receivers whose last message was not taken, by type.", ("type",)
)
ALERT_OUTBOX = Gauge(
    "warroom_alert_outbox_notices", "Notices that wait for delivery, by the receiver's type.", ("type",)
)
ALERT_LEASE_HELD = Gauge(
    "warroom_alert_lease_held", "Whether this instance judges the rules and delivers: 1, or 0 on the others."
)

# Business
BUSINESS_REFRESH_SECONDS = Histogram(
    "warroom_business_refresh_duration_seconds",
    "Time of one refresh of the business metrics, failed ones included.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BUSINESS_REFRESH_FAILURES = Counter(
    "warroom_business_refresh_failures_total", "Refreshes of the business metrics that failed."
)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric whose samples are published all at once; `counter` says that it only grows."""

    name: str
    help: str
    labels: tuple[str, ...]
    counter: bool = False


class Published(Collector):
    """Families whose samples are replaced as a whole: a scrape sees one state and nothing of what is gone.

    Not the client's own gauges: those keep every label until it is removed, and counters cannot be set to the sum that
    the store holds.
    """

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = {family.name: family for family in families}
        self._samples: Mapping[str, Mapping[tuple[str, ...], float]] = {}

    def publish(self, samples: Mapping[str, Mapping[tuple[str, ...], float]]) -> None:
        """Replaces everything by the samples: by family, and by the values of its labels."""
        unknown = samples.keys() - self.families.keys()
        if unknown:
            raise ValueError(f"not declared: {', '.join(sorted(unknown))}")
        self._samples = samples

    def describe(self) -> Iterator[PrometheusMetric]:
        """What there may be, so that registering asks for no samples."""
        return (self._metric(family, {}) for family in self.families.values())

    def collect(self) -> Iterator[PrometheusMetric]:
        """Every family that has samples."""
        samples = self._samples
        return (self._metric(self.families[name], found) for name, found in samples.items() if found)

    @staticmethod
    def _metric(family: Family, samples: Mapping[tuple[str, ...], float]) -> PrometheusMetric:
        kind = CounterMetricFamily if family.counter else GaugeMetricFamily
        metric = kind(family.name, family.help, labels=family.labels)
        for labels, value in samples.items():
            metric.add_metric(labels, value)
        return metric


_CAMPAIGN = ("campaign",)
_CHANNEL = ("campaign", "channel")
_TARGET = ("campaign", "scope", "metric")
_DISK = ("disk",)

CHANNEL_METRICS = (
    "gmv",
    "paid_gmv",
    "orders_paid",
    "refund_amount",
    "uv",
    "buyers",
    "conversion_rate",
    "ad_cost",
    "roas",
    "roi",
)
"""What is exported by channel too."""

BASELINE_METRICS = ("gmv", "paid_gmv", "orders_paid", "uv", "conversion_rate")
"""What is exported of the campaign that a campaign is compared with."""


def business_name(metric: str, *, channel: bool = False) -> str:
    """The family of a metric of the catalogue: `_total` for what only grows, `_ratio` for pure ratios."""
    stem = f"warroom_campaign_{'channel_' if channel else ''}{metric}"
    unit = METRICS[metric].unit
    if _only_grows(metric):
        return f"{stem}_total"
    return f"{stem.removesuffix('_rate')}_ratio" if unit is Unit.RATIO else stem


def _only_grows(metric: str) -> bool:
    found = METRICS[metric]
    shapes = {MEASURES[name].shape for name in found.measures}
    return found.ratio is None and Shape.DISTINCT not in shapes and all(sign > 0 for sign, _ in found.terms)


def _business_family(metric: str, *, channel: bool) -> Family:
    found = METRICS[metric]
    money = " (reporting currency)" if found.unit in (Unit.MONEY, Unit.MONEY_RATIO) else ""
    since = "since the campaign's start, by channel" if channel else "since the campaign's start"
    return Family(
        business_name(metric, channel=channel),
        f"{found.title}{money}, {since}: {found.definition}.",
        _CHANNEL if channel else _CAMPAIGN,
        _only_grows(metric),
    )


BUSINESS = Published(
    [
        *(_business_family(metric, channel=False) for metric in METRICS),
        *(_business_family(metric, channel=True) for metric in CHANNEL_METRICS),
        Family("warroom_campaign_target_attained_ratio", "Reached share of a target.", _TARGET),
        Family("warroom_campaign_target", "A target, in the metric's own unit.", _TARGET),
        Family("warroom_campaign_target_expected_ratio", "Share of a target that is expected by now.", _TARGET),
        Family("warroom_campaign_target_projected_ratio", "Share of a target that is projected for its end.", _TARGET),
        Family("warroom_campaign_budget_used_ratio", "Used share of a channel's budget.", _CHANNEL),
        Family(
            "warroom_campaign_baseline",
            "A metric of the baseline campaign at the same elapsed time, in the metric's own unit.",
            ("campaign", "metric"),
        ),
        Family("warroom_campaign_funnel_users", "Users who reached a step of the funnel.", ("campaign", "step")),
        Family("warroom_campaigns_running", "Campaigns that are running now.", ()),
        Family("warroom_campaigns_exported", "Campaigns that are running now and exported; the rest are too many.", ()),
        Family("warroom_watermark_age_seconds", "Age of the watermark of a kind of events.", ("kind",)),
        Family("warroom_business_refresh_timestamp_seconds", "When the business metrics were read.", ()),
        Family("warroom_reporting_currency_info", "The currency of all amounts.", ("currency",)),
        Family("warroom_external_url_info", "How people reach this Warroom.", ("url",)),
        Family("warroom_store_disk_free_bytes", "Free space of a disk of ClickHouse.", _DISK),
        Family("warroom_store_disk_size_bytes", "Size of a disk of ClickHouse.", _DISK),
        Family("warroom_store_table_bytes", "Bytes on disk of a table of Warroom, by table.", ("table",)),
        Family("warroom_store_table_rows", "Rows of a table of Warroom, by table.", ("table",)),
        Family("warroom_store_table_parts", "Active parts of the fullest partition of a table.", ("table",)),
    ]
)
"""Business metrics of a bounded number of campaigns, channels and targets; services/metrics/exporter.py fills them."""

REGISTRY.register(BUSINESS)
