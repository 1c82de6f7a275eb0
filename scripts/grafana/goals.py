"""What was to be reached, what is left of it, and what went wrong: the last row of the campaign's dashboard."""

from __future__ import annotations

from scripts.grafana.columns import column, renamed
from scripts.grafana.model import Panel, Prom, Row, Sql
from scripts.grafana.shared import IN_CAMPAIGN

_C = 'campaign="$campaign"'

GOALS = Row(
    "Targets, money and alerts",
    [
        Panel(
            "table",
            "Targets",
            "Shares of each target of the campaign and of its present phase.",
            [
                Prom(f"max by (scope, metric) ({name}{{{_C}}})")
                for name in (
                    "warroom_campaign_target",
                    "warroom_campaign_target_attained_ratio",
                    "warroom_campaign_target_expected_ratio",
                    "warroom_campaign_target_projected_ratio",
                )
            ],
            "percentunit",
            12,
            decimals=1,
            transformations=renamed(
                **{
                    "scope": "Scope",
                    "metric": "Metric",
                    "Value #A": "Target",
                    "Value #B": "Reached",
                    "Value #C": "Expected by now",
                    "Value #D": "Projected",
                }
            ),
            overrides=[column("Target", "locale", decimals=0)],
        ),
        Panel(
            "bargauge",
            "From GMV to net sales ($currency)",
            "What is left of the amount of all orders placed.",
            [
                Prom(f"max(warroom_campaign_gmv_total{{{_C}}})", "placed", instant=True),
                Prom(f"max(warroom_campaign_paid_gmv_total{{{_C}}})", "paid", instant=True),
                Prom(f"max(warroom_campaign_net_sales{{{_C}}})", "paid, less refunds", instant=True),
                Prom(f"max(warroom_campaign_cost_total{{{_C}}})", "cost: ads and coupons", instant=True),
            ],
            "locale",
            12,
            decimals=0,
            minimum=0,
        ),
        Panel(
            "table",
            "Alerts",
            "Of this campaign, the latest first.",
            [
                Sql(
                    f"""
SELECT starts_at AS "Since", severity AS "Severity", rule AS "Rule", state AS "State", summary AS "Summary",
    dateDiff('second', starts_at, ifNull(ends_at, now64(3))) AS "Lasted", alert_id AS "Alert"
FROM bi_alerts
WHERE {IN_CAMPAIGN} AND starts_at <= $__toTime AND ifNull(ends_at, now64(3)) >= $__fromTime
ORDER BY starts_at DESC
LIMIT 100
"""
                )
            ],
            "none",
            24,
            9,
            overrides=[
                column("Lasted", "s"),
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
    ],
)
