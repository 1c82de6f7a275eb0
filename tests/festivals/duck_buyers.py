"""Cohorts of buyers, and what experiments did to them, in DuckDB's SQL; intervals by their textbook formulas."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import sqrt
from typing import Any, Final

import numpy as np
from scipy import stats

from tests.festivals.duck_events import Duck
from tests.festivals.duck_metrics import Filters, condition, zone_of

_PERIOD: Final = (
    "happened >= date_trunc('minute', $start::TIMESTAMPTZ) AND happened < date_trunc('minute', $end::TIMESTAMPTZ)"
)
_COHORTS: Final = {
    "first_order_day": "strftime(happened AT TIME ZONE $zone, '%Y-%m-%d')",
    "first_channel": "channel",
}
_MEMBERS: Final = f"""
    paid AS (SELECT * FROM orders WHERE campaign = $campaign AND name = 'order_paid'),
    firsts AS (
        SELECT user_id, happened AS since, coalesce(new_customer, false) AS is_new, {{cohort}} AS cohort FROM paid
        QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY happened, event_id) = 1
    ),
    bought AS (SELECT * FROM paid WHERE {_PERIOD} AND {{condition}}),
"""


def cohorts(
    duck: Duck, campaign: str, start: datetime, end: datetime, by: str, filters: Filters | None = None
) -> dict[str, dict[str, Any]]:
    """Buyers of the period by the day or the channel of their first order ever, and what they were worth."""
    day = by == "first_order_day"
    rows = duck.query(
        f"""
        WITH {_MEMBERS.format(cohort=_COHORTS[by], condition=condition(filters or {}))}
        per_user AS (SELECT user_id, count(*) AS n, sum(amount) AS amount FROM bought GROUP BY user_id),
        returned AS (
            SELECT user_id, sum(amount) AS amount FROM orders
            WHERE campaign = $campaign AND name = 'order_refunded' AND {_PERIOD} AND {condition(filters or {})}
            GROUP BY user_id
        ),
        spent AS (
            SELECT {"strftime(happened AT TIME ZONE $zone, '%Y-%m-%d')" if day else "channel"} AS cohort,
                sum(amount) AS amount
            FROM spend WHERE campaign = $campaign AND {"true" if day else _PERIOD} AND {condition(filters or {})}
            GROUP BY ALL
        ),
        grouped AS (
            SELECT cohort, count(*) AS buyers, count(*) FILTER (is_new) AS new_buyers,
                count(*) FILTER (NOT is_new) AS returning_buyers, count(*) FILTER (n >= 2) AS repurchasers,
                sum(n)::BIGINT AS orders_paid, sum(per_user.amount) AS paid_gmv,
                coalesce(sum(returned.amount), 0) AS refund_amount
            FROM per_user JOIN firsts USING (user_id) LEFT JOIN returned USING (user_id) GROUP BY cohort
        )
        SELECT grouped.*, repurchasers / buyers AS repurchase_rate, paid_gmv - refund_amount AS net_sales,
            (paid_gmv - refund_amount) / buyers AS value_per_buyer, coalesce(spent.amount, 0) AS acquisition_cost,
            coalesce(spent.amount, 0) / nullif(new_buyers, 0) AS cac,
            (paid_gmv - refund_amount) * $margin::DECIMAL(9, 4) / nullif(spent.amount, 0) AS value_to_cost
        FROM grouped LEFT JOIN spent USING (cohort) ORDER BY cohort
        """,
        campaign=campaign, start=start, end=end, zone=zone_of(duck, campaign),
        margin=str(duck.campaigns[campaign].get("gross_margin", 1)),
    )  # fmt: skip
    return {row.pop("cohort"): row for row in rows}


def ages(
    duck: Duck, campaign: str, start: datetime, end: datetime, by: str, step: timedelta
) -> dict[tuple[str, int], dict[str, Any]]:
    """What a cohort paid in each step of time since its buyers' first orders, and per buyer up to there."""
    rows = duck.query(
        f"""
        WITH {_MEMBERS.format(cohort=_COHORTS[by], condition="true")}
        aged AS (
            SELECT cohort, user_id, amount,
                (epoch_ms(happened) - epoch_ms(since)) // {round(step.total_seconds() * 1000)} AS age
            FROM bought JOIN firsts USING (user_id)
        ),
        sizes AS (SELECT cohort, count(DISTINCT user_id) AS buyers, max(age) AS oldest FROM aged GROUP BY cohort),
        steps AS (SELECT cohort, buyers, unnest(range(oldest + 1)) AS age FROM sizes),
        active AS (
            SELECT cohort, age, count(DISTINCT user_id) AS buyers_active, count(*) AS orders_paid,
                sum(amount) AS paid_gmv
            FROM aged GROUP BY ALL
        ),
        filled AS (
            SELECT cohort, age, buyers, coalesce(buyers_active, 0) AS buyers_active,
                coalesce(orders_paid, 0) AS orders_paid, coalesce(paid_gmv, 0) AS paid_gmv
            FROM steps LEFT JOIN active USING (cohort, age)
        )
        SELECT *,
            sum(orders_paid) OVER so_far / buyers AS orders_paid_cumulated_per_buyer,
            sum(paid_gmv) OVER so_far / buyers AS paid_gmv_cumulated_per_buyer
        FROM filled WINDOW so_far AS (PARTITION BY cohort ORDER BY age)
        """,
        campaign=campaign, start=start, end=end, zone=zone_of(duck, campaign),
    )  # fmt: skip
    return {(row.pop("cohort"), row.pop("age")): row for row in rows}


def experiments(duck: Duck, campaign: str, start: datetime, end: datetime) -> dict[tuple[str, str], dict[str, Any]]:
    """Users, conversions and crossings of each variant, with intervals and the difference from the control."""
    rows = duck.query(
        f"""
        WITH
        exposed AS (
            SELECT experiment, variant, user_id, min(happened) AS since FROM traffic
            WHERE campaign = $campaign AND experiment <> '' AND variant <> '' AND {_PERIOD} GROUP BY ALL
        ),
        judged AS (SELECT *, count(*) OVER (PARTITION BY experiment, user_id) > 1 AS crossed FROM exposed),
        turned AS (
            SELECT *, EXISTS (
                FROM orders WHERE campaign = $campaign AND name = 'order_paid' AND {_PERIOD}
                AND orders.user_id = judged.user_id AND happened >= since
            ) AS converted FROM judged
        ),
        crossings AS (SELECT experiment, count(DISTINCT user_id) FILTER (crossed) AS crossed FROM turned GROUP BY ALL)
        SELECT experiment, variant, count(*) FILTER (NOT turned.crossed) AS users,
            count(*) FILTER (NOT turned.crossed AND converted) AS converted, any_value(crossings.crossed) AS crossed
        FROM turned JOIN crossings USING (experiment) GROUP BY ALL ORDER BY ALL
        """,
        campaign=campaign,
        start=start,
        end=end,
    )
    arms: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        arms.setdefault(row["experiment"], {})[row["variant"]] = row
    found = {}
    for experiment, variants in arms.items():
        control = next((name for name in ("control", "A", "a") if name in variants), min(variants))
        for variant, row in variants.items():
            found[experiment, variant] = {**row, **_judged(row, variants[control], variant == control)}
    return found


def _judged(arm: dict[str, Any], control: dict[str, Any], is_control: bool) -> dict[str, Any]:
    rate, low, high = _wilson(arm)
    other, other_low, other_high = _wilson(control)
    found: dict[str, Any] = {"is_control": is_control, "conversion": rate, "low": low, "high": high}
    found |= dict.fromkeys(("difference", "difference_low", "difference_high", "lift", "p_value"))
    if is_control or None in (rate, low, high, other, other_low, other_high):
        return found
    assert rate is not None and low is not None and high is not None  # noqa: PT018
    assert other is not None and other_low is not None and other_high is not None  # noqa: PT018
    # Newcombe's hybrid score interval, from the two of Wilson.
    found["difference"] = rate - other
    found["difference_low"] = rate - other - sqrt((rate - low) ** 2 + (other_high - other) ** 2)
    found["difference_high"] = rate - other + sqrt((high - rate) ** 2 + (other - other_low) ** 2)
    found["lift"] = (rate - other) / other if other else None
    found["p_value"] = _p_value(arm, control)
    return found


def _wilson(arm: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    n = arm["users"]
    if not n:
        return None, None, None
    z = float(stats.norm.ppf(0.975))
    rate = arm["converted"] / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return rate, centre - half, centre + half


def _p_value(arm: dict[str, Any], control: dict[str, Any]) -> float | None:
    table = [[each["converted"], each["users"] - each["converted"]] for each in (arm, control)]
    rows, columns = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
    if 0 in columns:
        return 1.0
    expected = [[row * column / sum(rows) for column in columns] for row in rows]
    if min(min(row) for row in expected) < 5:
        return float(stats.fisher_exact(np.array(table))[1])
    statistic = sum(
        (seen - wanted) ** 2 / wanted
        for row, likely in zip(table, expected, strict=True)
        for seen, wanted in zip(row, likely, strict=True)
    )
    return float(stats.chi2.sf(statistic, 1))
