"""For each alert of Prometheus, series on which it fires, and series that are nearly those on which it does not.

Values are in promtool's notation: `a+bxn` is n further points that grow by b, here `step` minutes apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """At `at` minutes the alert fires with `labels` and `summary` on the series `bad`, and not on `good`.

    Shortly after the condition began, at `early` minutes, it does not fire yet.
    """

    alert: str
    bad: Mapping[str, str]
    good: Mapping[str, str]
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    at: int = 60
    early: int | None = None
    step: int = 1
    """Minutes between points, and between two looks at the rules."""


_JOB = 'job="warroom", instance="a"'
_LABELS = {"job": "warroom", "instance": "a"}


def _histogram(name: str, labels: str, slow: bool) -> dict[str, str]:
    """Ten observations a minute, of which all are within the bound or all are beyond it; no others are told."""
    fast = "0x90" if slow else "0+10x90"
    series = {f'{name}_bucket{{{labels}le="0.1"}}': fast}
    return series | {f'{name}_bucket{{{labels}le="{bound}"}}': "0+10x90" for bound in ("60", "+Inf")}


_REFUSED, _REPEATED, _RECORDS = (
    f'warroom_ingest_{what}_total{{kind="orders"}}' for what in ("refusals", "duplicates", "records")
)
_FREE, _SIZE = (f'warroom_store_disk_{what}_bytes{{disk="default"}}' for what in ("free", "size"))
_CLEAN, _AUDITED = 'warroom_audit_clean{instance="a"}', 'warroom_audit_last_run_timestamp_seconds{instance="a"}'
_RIGHT, _WRONG = (f'warroom_http_requests_total{{status="{status}"}}' for status in (200, 503))
_STREAM = 'route="/api/v1/campaigns/{campaign_id}/stream", '

CASES = (
    Case(
        "WarroomDown", {f"up{{{_JOB}}}": "1x29 0x61"}, {f"up{{{_JOB}}}": "1x90"},
        "a of Warroom does not answer", _LABELS, early=30,
    ),
    Case(
        "WarroomNotReady",
        {'warroom_service_ready{service="alerts", instance="a"}': "1x29 0x61"},
        {'warroom_service_ready{service="alerts", instance="a"}': "1x90"},
        "The alerts service on a is not ready", {"service": "alerts", "instance": "a"}, early=31,
    ),
    Case(
        "WarroomRestarts",
        {f"process_start_time_seconds{{{_JOB}}}": "1x6 2x6 3x6 4x6 5x6 6x6 7x6 8x6 9x6"},
        {f"process_start_time_seconds{{{_JOB}}}": "1x30 2x15 3x45"},
        "a of Warroom started 4 times in half an hour", _LABELS, at=55,
    ),
    Case(
        "WarroomOpenFiles",
        {f"process_open_fds{{{_JOB}}}": "100x29 900x61", f"process_max_fds{{{_JOB}}}": "1000x90"},
        {f"process_open_fds{{{_JOB}}}": "700x90", f"process_max_fds{{{_JOB}}}": "1000x90"},
        "a of Warroom has 90% of its files open", _LABELS, early=33,
    ),
    Case(
        "WarroomHttpErrors",
        {_RIGHT: "0+90x90", _WRONG: "0+10x90"},
        {_RIGHT: "0+990x90", _WRONG: "0+10x90"},
        "10% of all requests fail",
    ),
    Case(
        "WarroomHttpSlow",
        _histogram("warroom_http_request_duration_seconds", 'route="/a", ', slow=True),
        _histogram("warroom_http_request_duration_seconds", 'route="/a", ', slow=False)
        | _histogram("warroom_http_request_duration_seconds", _STREAM, slow=True),
        "/a takes 57.01s", {"route": "/a"}, early=8,
    ),
    Case(
        "WarroomIngestBehind",
        {'warroom_ingest_lag_seconds{topic="t", partition="0"}': "1x29 90x61"},
        {'warroom_ingest_lag_seconds{topic="t", partition="0"}': "50x90"},
        "Ingest is 1m 30s behind", early=30,
    ),
    Case(
        "WarroomFreshnessBurnsFast",
        {'warroom_ingest_lag_seconds{partition="0"}': "1x54 90x36"},
        # It was bad, and is over.
        {'warroom_ingest_lag_seconds{partition="0"}': "1x30 90x15 1x45"},
        "Numbers were too old for 9.836% of the last hour", at=60, early=56,
    ),
    Case(
        "WarroomFreshnessBurnsSlowly",
        {'warroom_ingest_lag_seconds{partition="0"}': "1x339 90x41"},
        {'warroom_ingest_lag_seconds{partition="0"}': "1x339 90x4 1x36"},
        "Numbers were too old for 5.817% of the last six hours", at=360, early=346,
    ),
    Case(
        "WarroomIngestStalled",
        {'warroom_ingest_stalled_partitions{instance="a"}': "0x29 2x61"},
        {'warroom_ingest_stalled_partitions{instance="a"}': "0x90"},
        "2 partitions cannot be written by a", {"instance": "a"}, early=30,
    ),
    Case(
        "WarroomInsertsFail",
        {'warroom_ingest_insert_duration_seconds_count{table="order_events", outcome="failed"}': "0x29 1+1x60"},
        {'warroom_ingest_insert_duration_seconds_count{table="order_events", outcome="done"}': "0+5x90"},
        "Inserts into order_events fail", {"table": "order_events"}, early=33,
    ),
    Case(
        "WarroomRecordsMissing",
        {'warroom_ingest_missing_records_total{topic="campaign.orders"}': "0x29 7x61"},
        {'warroom_ingest_missing_records_total{topic="campaign.orders"}': "7x90"},
        "Kafka removed records of campaign.orders before they were surely written", {"topic": "campaign.orders"},
    ),
    Case(
        "WarroomRefusals",
        {_REFUSED: "0+5x90", _RECORDS: "0+100x90"},
        {_REFUSED: "0+1x90", _RECORDS: "0+200x90"},
        "5% of all records are refused", early=4,
    ),
    Case(
        "WarroomRepeats",
        {_REPEATED: "0+50x90", _RECORDS: "0+100x90"},
        {_REPEATED: "0+4x90", _RECORDS: "0+100x90"},
        "50% of all events were sent before", early=9,
    ),
    Case(
        "WarroomIngestHeldBack",
        {'warroom_ingest_paused_partitions{instance="a"}': "0x29 3x61"},
        {'warroom_ingest_paused_partitions{instance="a"}': "3x8 0x2 3x8 0x2 3x8 0x62"},
        "a has not fetched from 3 partitions for ten minutes", {"instance": "a"}, early=38,
    ),
    Case(
        "WarroomAuditNotClean",
        {_CLEAN: "0x90", _AUDITED: "60x90"},
        # None was made yet.
        {_CLEAN: "0x90", _AUDITED: "0x90"},
        "The last audit found that records and tables do not agree", {"instance": "a"},
    ),
    Case(
        "WarroomAuditOverdue",
        {_AUDITED: "60x30"},
        {_AUDITED: "0x30"},
        "No audit was made for a day on a", {"instance": "a"}, at=26 * 60, early=24 * 60, step=60,
    ),
    Case(
        "WarroomDiskLow",
        {_FREE: "50x29 5x61", _SIZE: "100x90"},
        {_FREE: "15x90", _SIZE: "100x90"},
        "Disk default of ClickHouse has 5% left", {"disk": "default"}, early=33,
    ),
    Case(
        "WarroomDiskFillsUp",
        {_FREE: "400-1x90", _SIZE: "1000x90"},
        # As steep, with plenty left.
        {_FREE: "900-1x90", _SIZE: "1000x90"},
        "Disk default of ClickHouse will be full within a day", {"disk": "default"}, early=25,
    ),
    Case(
        "WarroomTooManyParts",
        {'warroom_store_table_parts{table="order_events"}': "10x29 301x61"},
        {'warroom_store_table_parts{table="order_events"}': "300x90"},
        "A partition of order_events has 301 parts", {"table": "order_events"}, early=38,
    ),
    Case(
        "WarroomStoreSlow",
        _histogram("warroom_store_call_duration_seconds", 'caller="metrics", ', slow=True),
        _histogram("warroom_store_call_duration_seconds", 'caller="metrics", ', slow=False),
        "Calls of metrics to ClickHouse take 59.4s", {"caller": "metrics"}, early=8,
    ),
    Case(
        "WarroomFoldsBehind",
        {'warroom_metrics_fold_lag_seconds{kind="orders"}': "0x29 400x61"},
        {'warroom_metrics_fold_lag_seconds{kind="orders"}': "200x90"},
        "Folds of orders are 6m 40s behind", {"kind": "orders"}, early=38,
    ),
    Case(
        "WarroomAlertsNotJudged",
        {'warroom_alert_evaluation_duration_seconds_count{instance="a"}': "0+60x29 1740x61",
         'warroom_alert_evaluation_duration_seconds_count{instance="b"}': "0x90"},
        {'warroom_alert_evaluation_duration_seconds_count{instance="a"}': "0+60x90",
         'warroom_alert_evaluation_duration_seconds_count{instance="b"}': "0x90"},
        "No campaign rule is being judged", early=30,
    ),
    Case("WarroomAlertsNotJudged", {}, {'warroom_alert_evaluation_duration_seconds_count{instance="a"}': "0+60x90"},
         "No campaign rule is being judged"),
    Case(
        "WarroomAlertsFail",
        {'warroom_alert_rule_failures_total{rule="stock_out", instance="a"}': "0+9x90"},
        {'warroom_alert_rule_failures_total{rule="stock_out", instance="a"}': "0+1x90"},
        "Looks at the rules fail on a", {"instance": "a", "rule": "stock_out"},
    ),
    Case(
        "WarroomAlertsJudgedLate",
        _histogram("warroom_alert_evaluation_duration_seconds", "", slow=True),
        _histogram("warroom_alert_evaluation_duration_seconds", "", slow=False),
        "A look at all rules takes 59.4s", early=4,
    ),
    Case(
        "WarroomRulesRefused",
        {'warroom_alert_rules_reload_successful{instance="a"}': "1x29 0x61",
         'warroom_alert_rules_reload_timestamp_seconds{instance="a"}': "60x90"},
        # A process that judges nothing.
        {'warroom_alert_rules_reload_successful{instance="a"}': "0x90",
         'warroom_alert_rules_reload_timestamp_seconds{instance="a"}': "0x90"},
        "The rules file was refused on a; the rules before it stay in force", {"instance": "a"}, early=30,
    ),
    Case(
        "WarroomReceiverFailing",
        {'warroom_alert_receivers_failing{type="slack"}': "0x29 1x61"},
        {'warroom_alert_receivers_failing{type="slack"}': "0x90"},
        "1 receivers of type slack take no alerts", {"type": "slack"}, early=31,
    ),
    Case(
        "WarroomNoticesLost",
        {'warroom_alert_deliveries_total{type="slack", outcome="undelivered"}': "0x55 1x35"},
        {'warroom_alert_deliveries_total{type="slack", outcome="delivered"}': "0+1x90"},
        "Notices to receivers of type slack were given up", {"type": "slack", "outcome": "undelivered"},
    ),
    Case(
        "WarroomOutboxGrows",
        {'warroom_alert_outbox_notices{type="slack"}': "0x29 201x61"},
        {'warroom_alert_outbox_notices{type="slack"}': "150x90"},
        "201 notices wait for receivers of type slack", {"type": "slack"}, early=33,
    ),
    Case(
        "WarroomDeliverySlow",
        _histogram("warroom_alert_delivery_duration_seconds", 'type="slack", ', slow=True),
        _histogram("warroom_alert_delivery_duration_seconds", 'type="slack", ', slow=False),
        "Notices to receivers of type slack take 57.01s", {"type": "slack"}, early=4,
    ),
    Case(
        "WarroomNumbersOld",
        {'warroom_business_refresh_timestamp_seconds{instance="a"}': "0+60x29 1740x61"},
        {'warroom_business_refresh_timestamp_seconds{instance="a"}': "0+60x90"},
        "The campaigns' numbers in Prometheus are old or gone", {"instance": "a"}, early=32,
    ),
    Case(
        "WarroomNumbersOld", {}, {'warroom_business_refresh_timestamp_seconds{instance="a"}': "0+60x90"},
        "The campaigns' numbers in Prometheus are old or gone", early=1,
    ),
    Case(
        "WarroomCampaignsNotExported",
        {"warroom_campaigns_running": "1x29 23x61", "warroom_campaigns_exported": "1x29 20x61"},
        {"warroom_campaigns_running": "20x90", "warroom_campaigns_exported": "20x90"},
        "23 campaigns run, more than Prometheus is told of", early=33,
    ),
    Case(
        "WarroomStreamDropsViewers",
        {'warroom_stream_dropped_viewers_total{instance="a"}': "0+4x90"},
        {'warroom_stream_dropped_viewers_total{instance="a"}': "0+1x90"},
        "a disconnected 20 viewers in five minutes", {"instance": "a"},
    ),
    Case(
        "WarroomStreamLate",
        _histogram("warroom_stream_frame_duration_seconds", "", slow=True),
        _histogram("warroom_stream_frame_duration_seconds", "", slow=False),
        "Screens get a snapshot 57.01s late", early=4,
    ),
)  # fmt: skip
