"""The campaign as it goes: the wall's numbers for those who live in Grafana."""

from __future__ import annotations

from scripts.grafana.columns import column, renamed, to_wall
from scripts.grafana.goals import GOALS
from scripts.grafana.model import NEUTRAL, Dashboard, Panel, Prom, Row, Sql, Step, falling, rising
from scripts.grafana.shared import (
    ALERTS,
    CAMPAIGN,
    CHANNEL,
    CURRENCY,
    DASHBOARDS,
    IN_CAMPAIGN,
    IN_CHANNEL,
    PHASES,
    WALL,
    link,
)

_C = 'campaign="$campaign"'
_TARGET = f'{_C}, scope="campaign", metric="gmv"'
_STEPS = ("visit", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid")


def _versus(metric: str, value: str) -> str:
    """How far a value is from the baseline's, as a share of that one."""
    return f'max({value}{{{_C}}}) / max(warroom_campaign_baseline{{{_C}, metric="{metric}"}}) - 1'


def _stat(
    title: str,
    description: str,
    expr: str,
    unit: str,
    *,
    width: int = 4,
    height: int = 4,
    steps: tuple[Step, ...] = NEUTRAL,
    decimals: int | None = None,
) -> Panel:
    return Panel("stat", title, description, [Prom(expr)], unit, width, height, steps=steps, decimals=decimals)


NOW = Row(
    "Now",
    [
        _stat(
            "GMV ($currency)",
            "Amount of all orders placed since the campaign's start.",
            f"max(warroom_campaign_gmv_total{{{_C}}})",
            "locale",
            width=6,
            height=8,
            decimals=0,
        ),
        Panel(
            "bargauge",
            "Target of GMV",
            "Share of the target that is reached, that was expected by now, and that is projected for the end.",
            [
                Prom(f"max(warroom_campaign_target_attained_ratio{{{_TARGET}}})", "reached", instant=True),
                Prom(f"max(warroom_campaign_target_expected_ratio{{{_TARGET}}})", "expected by now", instant=True),
                Prom(
                    f"max(warroom_campaign_target_projected_ratio{{{_TARGET}}})", "projected for the end", instant=True
                ),
            ],
            "percentunit",
            6,
            decimals=1,
            minimum=0,
            maximum=1.2,
        ),
        _stat(
            "GMV, against the baseline",
            "Difference to the baseline campaign at the same elapsed time.",
            _versus("gmv", "warroom_campaign_gmv_total"),
            "percentunit",
            decimals=1,
            steps=falling(-0.1, 0),
        ),
        _stat(
            "Visitors", "Distinct users since the campaign's start (uv).", f"max(warroom_campaign_uv{{{_C}}})", "locale"
        ),
        _stat(
            "Conversion",
            "Buyers / visitors, since the campaign's start.",
            f"max(warroom_campaign_conversion_ratio{{{_C}}})",
            "percentunit",
            decimals=2,
        ),
        _stat(
            "ROI",
            "(Net sales x gross margin - cost) / cost. Below 0 the campaign costs more than it brings.",
            f"max(warroom_campaign_roi_ratio{{{_C}}})",
            "percentunit",
            decimals=0,
            steps=falling(0, 0.2),
        ),
        _stat(
            "Age of the numbers",
            "How long ago everything was in: numbers after that moment may still grow.",
            "max(warroom_watermark_age_seconds)",
            "s",
            decimals=0,
            steps=rising(10, 30),
        ),
        _stat(
            "Open alerts",
            "Alerts of all campaigns that fire or are acknowledged.",
            'sum(warroom_alerts{state=~"firing|acknowledged"}) or vector(0)',
            "none",
            steps=rising(1, 5),
        ),
    ],
)

DAY = Row(
    "Course",
    [
        Panel(
            "timeseries",
            "GMV a minute, by channel ($currency)",
            "Orders placed, by the minute in which they were.",
            [
                Sql(
                    f"""
SELECT $__timeInterval(minute) AS time, channel, toFloat64(sum(gmv)) * 60 / $__interval_s AS gmv
FROM bi_sales_by_minute
WHERE {IN_CAMPAIGN} AND {IN_CHANNEL} AND $__timeFilter(minute)
GROUP BY time, channel
ORDER BY time, channel
""",
                    series=True,
                )
            ],
            "locale",
            12,
            9,
            interval="1m",
            line_name="${__field.labels.channel}",
            custom={"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40},
        ),
        Panel(
            "timeseries",
            "GMV so far, target and baseline ($currency)",
            "The sum since the campaign's start; what was expected by then; and the baseline at the same elapsed time.",
            [
                Prom(f"max(warroom_campaign_gmv_total{{{_C}}})", "GMV"),
                Prom(
                    f"max(warroom_campaign_target_expected_ratio{{{_TARGET}}})"
                    f" * max(warroom_campaign_target{{{_TARGET}}})",
                    "expected by then",
                ),
                Prom(f'max(warroom_campaign_baseline{{{_C}, metric="gmv"}})', "baseline"),
            ],
            "locale",
            12,
            9,
            custom={"fillOpacity": 0},
        ),
        Panel(
            "timeseries",
            "Page views and orders a minute",
            "Of the chosen channels.",
            [
                Sql(
                    f"""
SELECT $__timeInterval(minute) AS time, sum(page_views) * 60 / $__interval_s AS "page views"
FROM bi_traffic_by_minute
WHERE {IN_CAMPAIGN} AND {IN_CHANNEL} AND $__timeFilter(minute)
GROUP BY time
ORDER BY time
""",
                    series=True,
                ),
                Sql(
                    f"""
SELECT $__timeInterval(minute) AS time, sum(orders_created) * 60 / $__interval_s AS "orders placed",
    sum(orders_paid) * 60 / $__interval_s AS "orders paid"
FROM bi_sales_by_minute
WHERE {IN_CAMPAIGN} AND {IN_CHANNEL} AND $__timeFilter(minute)
GROUP BY time
ORDER BY time
""",
                    series=True,
                ),
            ],
            "locale",
            12,
            interval="1m",
        ),
        Panel(
            "timeseries",
            "Conversion and return",
            "As they stood at each moment, since the campaign's start.",
            [
                Prom(f"max(warroom_campaign_conversion_ratio{{{_C}}})", "conversion"),
                Prom(f"max(warroom_campaign_refund_amount_ratio{{{_C}}})", "refunded share of paid GMV"),
                Prom(f"max(warroom_campaign_roi_ratio{{{_C}}})", "ROI (right)"),
            ],
            "percentunit",
            12,
            overrides=[
                {
                    "matcher": {"id": "byName", "options": "ROI (right)"},
                    "properties": [{"id": "custom.axisPlacement", "value": "right"}],
                }
            ],
        ),
    ],
)

WHERE = Row(
    "Where it comes from, and where it is lost",
    [
        Panel(
            "bargauge",
            "Funnel",
            "Users of the whole campaign who took the steps in this order, each counted once.",
            [
                Prom(f'max(warroom_campaign_funnel_users{{{_C}, step="{step}"}})', step.replace("_", " "), instant=True)
                for step in _STEPS
            ],
            "locale",
            7,
            10,
            minimum=0,
        ),
        Panel(
            "table",
            "Channels",
            "Since the campaign's start. A channel without spend has no return on it.",
            [
                Prom(f'max by (channel) ({name}{{{_C}, channel=~"$channel"}})')
                for name in (
                    "warroom_campaign_channel_paid_gmv_total",
                    "warroom_campaign_channel_uv",
                    "warroom_campaign_channel_conversion_ratio",
                    "warroom_campaign_channel_ad_cost_total",
                    "warroom_campaign_channel_roas_ratio",
                    "warroom_campaign_channel_roi_ratio",
                    "warroom_campaign_budget_used_ratio",
                )
            ],
            "locale",
            17,
            10,
            transformations=renamed(
                **{
                    "channel": "Channel",
                    "Value #A": "Paid GMV",
                    "Value #B": "Visitors",
                    "Value #C": "Conversion",
                    "Value #D": "Ad cost",
                    "Value #E": "ROAS",
                    "Value #F": "ROI",
                    "Value #G": "Budget used",
                }
            ),
            overrides=[
                column("Conversion", "percentunit", decimals=2),
                column("ROAS", "none", decimals=2),
                column("ROI", "percentunit", decimals=0),
                column("Budget used", "percentunit", decimals=0),
                to_wall("Channel", "channel"),
            ],
        ),
        Panel(
            "table",
            "Regions",
            "Orders placed in the chosen time, by ISO 3166-2.",
            [
                Sql(
                    f"""
SELECT region AS "Region", toFloat64(sumIf(amount, event = 'order_created')) AS "GMV",
    countIf(event = 'order_created') AS "Orders placed", countIf(event = 'order_paid') AS "Orders paid"
FROM bi_orders
WHERE {IN_CAMPAIGN} AND {IN_CHANNEL} AND $__timeFilter(happened_at)
GROUP BY region
ORDER BY "GMV" DESC
LIMIT 40
"""
                )
            ],
            "locale",
            9,
            10,
            overrides=[to_wall("Region", "region")],
        ),
        Panel(
            "table",
            "Items",
            "Placed in the chosen time; the stock of all warehouses as it stands, and how long it lasts at that pace.",
            [
                Sql(
                    f"""
SELECT item_id AS "Item", any(item_category) AS "Category", toFloat64(sum(amount)) AS "GMV",
    sum(quantity) AS "Pieces", any(stock.available) AS "In stock",
    "In stock" * dateDiff('second', $__fromTime, $__toTime) / "Pieces" AS "Lasts for"
FROM bi_order_items
LEFT JOIN
(
    SELECT item_id, toNullable(sum(available)) AS available FROM bi_stock WHERE {IN_CAMPAIGN} GROUP BY item_id
) AS stock USING (item_id)
WHERE {IN_CAMPAIGN} AND {IN_CHANNEL} AND event = 'order_created' AND $__timeFilter(happened_at)
GROUP BY item_id
ORDER BY "GMV" DESC
LIMIT 30
"""
                )
            ],
            "locale",
            15,
            10,
            overrides=[
                to_wall("Item", "item_id"),
                column("Lasts for", "s", decimals=0),
                {
                    "matcher": {"id": "byName", "options": "In stock"},
                    "properties": [
                        {
                            "id": "thresholds",
                            "value": {
                                "mode": "absolute",
                                "steps": [
                                    {"color": "#D55E00", "value": None},
                                    {"color": "orange", "value": 1},
                                    {"color": "text", "value": 50},
                                ],
                            },
                        },
                        {"id": "custom.cellOptions", "value": {"type": "color-text"}},
                    ],
                },
            ],
        ),
    ],
)

WAR_ROOM = Dashboard(
    "warroom-campaign",
    "Warroom: the campaign",
    "GMV against target and baseline, funnel, channels, regions, items and alerts of one campaign.",
    [NOW, DAY, WHERE, GOALS],
    [CAMPAIGN, CHANNEL, CURRENCY, WALL],
    [ALERTS, PHASES],
    [DASHBOARDS, link("The wall", "/?campaign=${campaign:percentencode}")],
    since="now-6h",
)
