"""Whether alerts are judged in time, and whether people hear of them."""

from __future__ import annotations

from scripts.grafana.ingest import lines, quantiles, stat
from scripts.grafana.model import Dashboard, Panel, Prom, Row, Sql, falling, rising
from scripts.grafana.shared import ALL_ALERTS, DASHBOARDS, WALL, link, runbooks

_RATE = "$__rate_interval"

STATE = Row(
    "State",
    [
        stat(
            "Firing",
            "Alerts that nobody has acknowledged.",
            'sum(warroom_alerts{state="firing"}) or vector(0)',
            "none",
            steps=rising(1, 5),
        ),
        stat(
            "Acknowledged",
            "Alerts that somebody has taken on.",
            'sum(warroom_alerts{state="acknowledged"}) or vector(0)',
            "none",
        ),
        stat(
            "About Warroom itself",
            "Alerts of Prometheus that fire, the watchdog apart.",
            'count(ALERTS{alertname=~"Warroom.+", alertname!="WarroomWatchdog", alertstate="firing"}) or vector(0)',
            "none",
            steps=rising(1, 1),
        ),
        stat(
            "Judging",
            "Instances that hold the lease: exactly one judges and delivers.",
            "sum(warroom_alert_lease_held)",
            "none",
            steps=falling(0, 1),
        ),
        stat(
            "A look takes",
            "99th percentile of one look at all rules.",
            "warroom:alert_evaluation_duration_seconds:p99_5m",
            "s",
            steps=rising(2, 5),
            decimals=2,
        ),
        stat(
            "Notices waiting",
            "In the outbox, for all receivers.",
            "sum(warroom_alert_outbox_notices) or vector(0)",
            "none",
            steps=rising(50, 200),
        ),
        stat(
            "Receivers failing",
            "Receivers whose last message was not taken.",
            "sum(warroom_alert_receivers_failing) or vector(0)",
            "none",
            steps=rising(1, 1),
        ),
        stat(
            "Given up",
            "Notices that were given up in the last day.",
            'sum(increase(warroom_alert_deliveries_total{outcome="undelivered"}[1d])) or vector(0)',
            "none",
            steps=rising(1, 1),
        ),
    ],
)

JUDGING = Row(
    "Judging",
    [
        lines(
            "Alerts by rule",
            "Pending or open.",
            [Prom("sum by (rule) (warroom_alerts)", "{{rule}}")],
            "none",
            stacked=True,
        ),
        lines(
            "Transitions an hour",
            "By the new state. A rule that flaps shows here.",
            [Prom("sum by (state) (increase(warroom_alert_transitions_total[1h]))", "{{state}}")],
            "none",
        ),
        lines(
            "Time of a look",
            "At all rules, reading the store included.",
            quantiles("warroom_alert_evaluation_duration_seconds", "le", ""),
            "s",
            steps=rising(2, 5),
        ),
        lines(
            "Looks a second",
            "Of all instances together. Zero: nothing is judged.",
            [Prom(f"sum(rate(warroom_alert_evaluation_duration_seconds_count[{_RATE}]))", "looks")],
            "cps",
        ),
        lines(
            "Looks that failed",
            "Because the store did not answer, or by a fault of a rule.",
            [
                Prom(f"sum(rate(warroom_alert_evaluation_failures_total[{_RATE}]))", "the store did not answer"),
                Prom(f"sum(rate(warroom_alert_rule_failures_total[{_RATE}])) or vector(0)", "a rule failed"),
            ],
            "cps",
        ),
        lines(
            "Rules in force",
            "Age of the rules in force. A file that is refused leaves those before it in force.",
            [Prom("max(time() - (warroom_alert_rules_reload_timestamp_seconds > 0))", "age")],
            "s",
        ),
    ],
)

DELIVERY = Row(
    "Delivery",
    [
        lines(
            "Notices an hour",
            "By the receiver's type and what became of them.",
            [Prom("sum by (type, outcome) (increase(warroom_alert_deliveries_total[1h]))", "{{type}} {{outcome}}")],
            "none",
        ),
        lines(
            "Time until a receiver had it",
            "From the alert's transition, 95th percentile of ten minutes.",
            [Prom("type:warroom_alert_delivery_duration_seconds:p95_10m >= 0 or vector(0)", "{{type}}")],
            "s",
            steps=rising(10, 30),
        ),
        lines(
            "Attempts a notice",
            "More than one: the receiver refuses some.",
            [
                Prom(
                    "sum by (type) (increase(warroom_alert_delivery_attempts_total[1h]))"
                    " / (sum by (type) (increase(warroom_alert_deliveries_total[1h])) > 0) or vector(0)",
                    "{{type}}",
                )
            ],
            "none",
        ),
    ],
)

LISTS = Row(
    "What was told",
    [
        Panel(
            "table",
            "Alerts",
            "Of all campaigns, the latest first.",
            [
                Sql("""
SELECT starts_at AS "Since", campaign AS "Campaign", severity AS "Severity", rule AS "Rule", state AS "State",
    summary AS "Summary", dateDiff('second', starts_at, ifNull(ends_at, now64(3))) AS "Lasted", alert_id AS "Alert"
FROM bi_alerts
WHERE starts_at <= $__toTime AND ifNull(ends_at, now64(3)) >= $__fromTime
ORDER BY starts_at DESC
LIMIT 200
""")
            ],
            "none",
            24,
            10,
            overrides=[
                {"matcher": {"id": "byName", "options": "Lasted"}, "properties": [{"id": "unit", "value": "s"}]},
                {
                    "matcher": {"id": "byName", "options": "Since"},
                    "properties": [{"id": "unit", "value": "dateTimeAsIso"}],
                },
                {
                    "matcher": {"id": "byName", "options": "Alert"},
                    "properties": [
                        {
                            "id": "links",
                            "value": [
                                {
                                    "title": "Its timeline",
                                    "url": "${warroom}/api/v1/alerts/${__value.raw:percentencode}",
                                    "targetBlank": True,
                                }
                            ],
                        }
                    ],
                },
            ],
        ),
        Panel(
            "table",
            "By rule",
            "How often each rule fired in the chosen time, and how long its alerts lasted.",
            [
                Sql("""
SELECT rule AS "Rule", count() AS "Alerts", countIf(ends_at IS NULL) AS "Open",
    round(avg(dateDiff('second', starts_at, ifNull(ends_at, now64(3))))) AS "Mean length",
    max(dateDiff('second', starts_at, ifNull(ends_at, now64(3)))) AS "Longest"
FROM bi_alerts
WHERE $__timeFilter(starts_at)
GROUP BY rule
ORDER BY "Alerts" DESC
""")
            ],
            "none",
            12,
            9,
            overrides=[
                {
                    "matcher": {"id": "byRegexp", "options": "/Mean length|Longest/"},
                    "properties": [{"id": "unit", "value": "s"}],
                }
            ],
        ),
        Panel(
            "table",
            "Alerts of Prometheus",
            "About Warroom itself. The watchdog always fires: this way works.",
            [Prom('ALERTS{alertname=~"Warroom.+"}')],
            "none",
            12,
            9,
            transformations=[
                {
                    "id": "organize",
                    "options": {
                        "excludeByName": {"Time": True, "Value": True, "__name__": True, "job": True},
                        "indexByName": {},
                        "renameByName": {"alertname": "Alert", "alertstate": "State"},
                    },
                }
            ],
        ),
    ],
)


def alerting() -> Dashboard:
    """Reads docs/runbooks.md."""
    return Dashboard(
        "warroom-alerts",
        "Warroom: alerts",
        "Whether alerts are judged in time, and whether people hear of them.",
        [STATE, JUDGING, DELIVERY, LISTS, runbooks("Alerts", "Watchdog")],
        [WALL],
        [ALL_ALERTS],
        [DASHBOARDS, link("Alerts of Warroom", "/api/v1/alerts?campaign_id=*")],
    )
