"""The money ladder and the attribution of orders in DuckDB's SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tests.festivals.duck_events import Duck
from tests.festivals.duck_metrics import Filters, condition, source

SUSPICIOUS_PER_HOUR: Final = 10

_LADDER = """
WITH
paid AS (SELECT *, date_trunc('hour', happened AT TIME ZONE 'UTC') AS hour FROM orders
    WHERE campaign = $campaign AND name = 'order_paid'),
busy AS (
    SELECT order_id,
        count(*) OVER (PARTITION BY hour, user_id) AS of_user,
        CASE WHEN device_id <> '' THEN count(*) OVER (PARTITION BY hour, device_id) ELSE 0 END AS of_device
    FROM paid
),
suspects AS (SELECT DISTINCT order_id FROM busy WHERE of_user >= $many OR of_device >= $many),
period AS (
    SELECT *, order_id IN (SELECT order_id FROM suspects) AS suspected FROM {source}
    WHERE campaign = $campaign AND happened >= date_trunc('minute', $start::TIMESTAMPTZ)
        AND happened < date_trunc('minute', $end::TIMESTAMPTZ) AND {condition}
),
sums AS (
    SELECT
        coalesce(sum(amount) FILTER (name = 'order_created'), 0) AS placed,
        coalesce(sum(amount) FILTER (name = 'order_paid'), 0) AS paid,
        coalesce(sum(amount) FILTER (name = 'order_refunded'), 0) AS refunded,
        coalesce(sum(amount) FILTER (name = 'order_paid' AND suspected), 0) AS suspected_paid,
        coalesce(sum(amount) FILTER (name = 'order_refunded' AND suspected), 0) AS suspected_refunded,
        count(DISTINCT event_id) FILTER (name = 'order_created') AS n_placed,
        count(DISTINCT event_id) FILTER (name = 'order_paid') AS n_paid,
        count(DISTINCT order_id) FILTER (name = 'order_refunded') AS n_refunded,
        count(DISTINCT event_id) FILTER (name = 'order_paid' AND suspected) AS n_suspected_paid,
        count(DISTINCT order_id) FILTER (name = 'order_refunded' AND suspected) AS n_suspected_refunded
    FROM period
),
rungs AS (
    SELECT unnest([
        {{'rung': 'placed', 'amount': placed, 'orders': n_placed}},
        {{'rung': 'paid', 'amount': paid, 'orders': n_paid}},
        {{'rung': 'net_of_refunds', 'amount': paid - refunded, 'orders': n_paid - n_refunded}},
        {{'rung': 'net_of_suspicion', 'amount': paid - refunded - suspected_paid + suspected_refunded,
          'orders': n_paid - n_refunded - n_suspected_paid + n_suspected_refunded}}
    ], recursive := true), placed AS whole FROM sums
)
SELECT rung, amount, orders, amount / nullif(whole, 0) AS share FROM rungs
"""


def ladder(
    duck: Duck, campaign: str, start: datetime, end: datetime, filters: Filters | None = None
) -> dict[str, dict[str, Any]]:
    """Amount, orders and share of each rung; of orders that are suspected, whole hours of the campaign decide."""
    filters = filters or {}
    sql = _LADDER.format(source=source("orders", set(filters)), condition=condition(filters))
    rows = duck.query(sql, campaign=campaign, start=start, end=end, many=SUSPICIOUS_PER_HOUR)
    return {row.pop("rung"): row for row in rows}
