"""Orders credited to what led to them, in DuckDB's SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.festivals.duck_events import Duck

_MARKS: Final = {"utm_source": "mark_source", "utm_medium": "mark_medium", "utm_campaign": "mark_campaign"}

# Each payment of the campaign with what it is credited to. A touch is traffic of the same user in the look-back.
_CREDITED: Final = """
touched AS (
    SELECT paid.event_id AS paid_id, touch.*,
        coalesce(touch.mark_source, '') NOT IN ('', 'unknown') OR coalesce(touch.mark_medium, '') <> ''
            OR coalesce(touch.mark_campaign, '') <> '' AS marked
    FROM paid JOIN traffic AS touch
        ON touch.campaign = paid.campaign AND touch.user_id = paid.user_id
        AND touch.happened <= paid.happened
        AND touch.happened >= paid.happened - INTERVAL '{lookback} seconds'
),
chosen AS (
    SELECT paid_id, coalesce(nullif({value}, ''), 'unknown') AS credit FROM touched
    QUALIFY row_number() OVER (PARTITION BY paid_id ORDER BY {preference} happened {way}, event_id {way}) = 1
),
credited AS (
    SELECT paid.*, coalesce(chosen.credit, 'unattributed') AS credit
    FROM paid LEFT JOIN chosen ON chosen.paid_id = paid.event_id
),
"""

_TABLE: Final = """
WITH
paid AS (SELECT * FROM orders WHERE campaign = $campaign AND name = 'order_paid'),
{credited}
sold AS (
    SELECT credit, count(*) AS orders_paid, sum(amount) AS paid_gmv, count(DISTINCT user_id) AS buyers,
        count(DISTINCT user_id) FILTER (new_customer) AS new_buyers
    FROM credited WHERE happened >= $start::TIMESTAMPTZ AND happened < $end::TIMESTAMPTZ GROUP BY credit
),
first_paid AS (
    SELECT order_id, credit FROM credited
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY happened, event_id) = 1
),
returned AS (
    SELECT coalesce(first_paid.credit, 'unattributed') AS credit, sum(amount) AS refund_amount
    FROM orders LEFT JOIN first_paid USING (order_id)
    WHERE campaign = $campaign AND name = 'order_refunded'
        AND happened >= $start::TIMESTAMPTZ AND happened < $end::TIMESTAMPTZ GROUP BY ALL
),
spent AS (
    SELECT {spend} AS credit, sum(amount) AS ad_cost, sum(impressions) AS impressions, sum(clicks) AS clicks
    FROM spend WHERE campaign = $campaign AND {spends}
        AND happened >= $start::TIMESTAMPTZ AND happened < $end::TIMESTAMPTZ GROUP BY ALL
),
redeemed AS (
    SELECT channel AS credit, sum(amount) AS coupon_cost
    FROM coupons WHERE campaign = $campaign AND name = 'coupon_redeemed' AND {redeems}
        AND happened >= $start::TIMESTAMPTZ AND happened < $end::TIMESTAMPTZ GROUP BY ALL
),
last_hour AS (
    SELECT credit, sum(amount) AS hour_gmv FROM credited
    WHERE happened >= $present::TIMESTAMPTZ - INTERVAL 1 HOUR AND happened < $present::TIMESTAMPTZ GROUP BY credit
),
burnt AS (
    SELECT channel AS credit,
        coalesce(sum(amount) FILTER (happened >= $present::TIMESTAMPTZ - INTERVAL 1 HOUR
            AND happened < $present::TIMESTAMPTZ), 0) AS hour_cost,
        sum(amount) AS used
    FROM spend WHERE campaign = $campaign AND happened < $end::TIMESTAMPTZ GROUP BY ALL
),
joined AS (
    SELECT credit,
        coalesce(orders_paid, 0) AS orders_paid, coalesce(paid_gmv, 0) AS paid_gmv,
        coalesce(refund_amount, 0) AS refund_amount,
        coalesce(buyers, 0) AS buyers, coalesce(new_buyers, 0) AS new_buyers,
        CASE WHEN {spends} THEN coalesce(ad_cost, 0) END AS ad_cost,
        CASE WHEN {spends} THEN coalesce(impressions, 0) END AS impressions,
        CASE WHEN {spends} THEN coalesce(clicks, 0) END AS clicks,
        CASE WHEN {redeems} THEN coalesce(coupon_cost, 0) END AS coupon_cost,
        coalesce(hour_gmv, 0) AS hour_gmv, coalesce(hour_cost, 0) AS hour_cost, coalesce(used, 0) AS used
    FROM sold FULL JOIN returned USING (credit) FULL JOIN spent USING (credit) FULL JOIN redeemed USING (credit)
    LEFT JOIN last_hour USING (credit) LEFT JOIN burnt USING (credit)
)
SELECT *, paid_gmv - refund_amount AS net_sales, ad_cost + coupon_cost AS cost,
    paid_gmv / nullif(ad_cost, 0) AS roas,
    ((paid_gmv - refund_amount) * $margin::DECIMAL(9, 4) - (ad_cost + coupon_cost)) / nullif(ad_cost + coupon_cost, 0)
        AS roi,
    (ad_cost + coupon_cost) / nullif(new_buyers, 0) AS cac,
    ad_cost / nullif(orders_paid, 0) AS cpa, ad_cost / nullif(clicks, 0) AS cpc,
    clicks / nullif(impressions, 0) AS ctr,
    hour_gmv / nullif(hour_cost, 0) AS marginal_roas
FROM joined
WHERE orders_paid > 0 OR paid_gmv > 0 OR refund_amount > 0 OR buyers > 0 OR ad_cost > 0 OR coupon_cost > 0
    OR impressions > 0 OR clicks > 0
ORDER BY paid_gmv DESC, credit
"""


def attribution(
    duck: Duck, campaign: str, start: datetime, end: datetime, now: datetime, model: str, by: str, lookback: timedelta
) -> list[dict[str, Any]]:
    """A row for each value that something is credited to, the most paid first; `credit` is the value.

    `start` and `end` are whole minutes.
    """
    if model == "order":
        credited = f"credited AS (SELECT *, {by} AS credit FROM paid),"
    else:
        credited = _CREDITED.format(
            lookback=round(lookback.total_seconds()),
            value=_MARKS.get(by, by),
            preference="" if by == "channel" else "marked DESC,",
            way="ASC" if model == "first_touch" else "DESC",
        )
    sql = _TABLE.format(
        credited=credited,
        spend=by if by in ("channel", "utm_source") else "NULL::VARCHAR",
        spends="true" if by in ("channel", "utm_source") else "false",
        redeems="true" if by == "channel" else "false",
    )
    present = min(end, now).replace(second=0, microsecond=0)
    body = duck.campaigns[campaign]
    rows = duck.query(
        sql, campaign=campaign, start=start, end=end, present=present, margin=str(body.get("gross_margin", 1))
    )
    if by == "channel":
        for row in rows:
            _budget(row, body, present, _used_up(duck, campaign, row["credit"], body, end))
    return rows


def _used_up(duck: Duck, campaign: str, channel: str, body: Any, end: datetime) -> datetime | None:
    """When the spend that reached the channel's budget happened."""
    budget = body.get("budgets", {}).get(channel)
    if budget is None:
        return None
    sql = """
    SELECT epoch_ms(min(happened)) AS ms
    FROM (
        SELECT happened, sum(amount) OVER (ORDER BY happened RANGE UNBOUNDED PRECEDING) AS used
        FROM spend WHERE campaign = $campaign AND channel = $channel AND happened < $end::TIMESTAMPTZ
    )
    WHERE used >= $budget::DECIMAL(20, 2)"""
    ms = duck.one(sql, campaign=campaign, channel=channel, end=end, budget=budget)["ms"]
    return None if ms is None else datetime.fromtimestamp(ms / 1000, tz=UTC)


def _budget(row: dict[str, Any], body: Any, present: datetime, gone: datetime | None) -> None:
    budget = body.get("budgets", {}).get(row["credit"])
    used, rate = float(row["used"]), float(row["hour_cost"])
    if gone is None and budget is not None and used < float(budget) and rate:
        gone = present + timedelta(hours=(float(budget) - used) / rate)
    # After the end of the campaign nobody waits for it.
    gone = gone if gone is not None and gone < datetime.fromisoformat(body["end"]) else None
    row |= {
        "budget": budget,
        "budget_used": used / float(budget) if budget is not None and float(budget) else None,
        "burn_rate_per_hour": row["hour_cost"],
        "budget_exhausted_at": gone,
    }
