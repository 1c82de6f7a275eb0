"""Cohorts: buyers by the day or the channel of their first order, and what they have been worth since."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition
from services.common.store import EACH_SHARD, StorePool

BY = ("first_order_day", "first_channel")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Buyers of the period that have their first order's day or channel in common; what they did in the period.

    `new_buyers` are those whose first order said so, `repurchasers` those who paid twice or more in the period.
    """

    cohort: str
    buyers: int
    new_buyers: int
    repurchasers: int
    orders_paid: int
    paid_gmv: Decimal
    refund_amount: Decimal


@dataclass(frozen=True, slots=True)
class Age:
    """What a cohort's buyers paid in the period `age` whole steps after their own first order."""

    cohort: str
    age: int
    buyers_active: int
    orders_paid: int
    paid_gmv: Decimal


def has_cohorts(question: Question) -> bool:
    """Whether orders carry every dimension of the filters."""
    return all(Kind.ORDERS in DIMENSIONS[name] for name in question.dimensions)


async def cohorts(pool: StorePool, question: Question, by: str, zone: ZoneInfo) -> list[Cohort]:
    """The cohorts of all buyers with a payment in the period that passes the filters, by name.

    A first order is the earliest payment of the campaign, whatever the period and the filters. Refunds are those of
    the same buyers in the period.
    """
    if not has_cohorts(question) or question.end_ms <= question.start_ms:
        return []
    rows = await pool.query(*cohorts_sql(question, by, zone))
    return sorted((Cohort(**row) for row in rows), key=lambda cohort: cohort.cohort)


async def ages(pool: StorePool, question: Question, by: str, zone: ZoneInfo, step_ms: int) -> list[Age]:
    """The payments of the cohorts by age, where there are any."""
    if not has_cohorts(question) or question.end_ms <= question.start_ms:
        return []
    rows = await pool.query(*ages_sql(question, by, zone, step_ms))
    return sorted((Age(**row) for row in rows), key=lambda age: (age.cohort, age.age))


def cohorts_sql(question: Question, by: str, zone: ZoneInfo) -> tuple[str, dict[str, Any]]:
    """One row a cohort with the columns of `Cohort`."""
    parameters, source, where, amount, counted = _events(question)
    sql = f"""
SELECT
    cohort,
    count() AS buyers,
    countIf(b.is_new) AS new_buyers,
    countIf(b.orders_paid >= 2) AS repurchasers,
    sum(b.orders_paid) AS orders_paid,
    sum(b.paid_gmv) AS paid_gmv,
    sum(b.refund_amount) AS refund_amount
FROM {EACH_SHARD}
(
    SELECT
        {_cohort(by, zone, parameters)} AS cohort,
        f.is_new AS is_new,
        p.orders_paid AS orders_paid,
        p.paid_gmv AS paid_gmv,
        p.refund_amount AS refund_amount
    FROM
    (
        SELECT
            user_id,
            {counted}e.event_name = 'order_paid') AS orders_paid,
            sumIf({amount}, e.event_name = 'order_paid') AS paid_gmv,
            sumIf({amount}, e.event_name = 'order_refunded') AS refund_amount
        FROM {source}
        WHERE {where}
        GROUP BY user_id
        HAVING orders_paid > 0
    ) AS p
    INNER JOIN ({_FIRST}) AS f ON f.user_id = p.user_id
) AS b
GROUP BY cohort"""
    return sql, parameters


def ages_sql(question: Question, by: str, zone: ZoneInfo, step_ms: int) -> tuple[str, dict[str, Any]]:
    """One row a cohort and age with the columns of `Age`."""
    parameters, source, where, amount, counted = _events(question)
    parameters["step"] = step_ms
    # An item's lines are added up before the join, so that an order is one row.
    sql = f"""
SELECT
    cohort,
    age,
    uniqExact(b.user_id) AS buyers_active,
    sum(b.orders_paid) AS orders_paid,
    sum(b.paid_gmv) AS paid_gmv
FROM {EACH_SHARD}
(
    SELECT
        {_cohort(by, zone, parameters)} AS cohort,
        intDiv(toUnixTimestamp64Milli(p.paid_at) - toUnixTimestamp64Milli(f.first_at), {{step:Int64}}) AS age,
        p.user_id AS user_id,
        p.orders_paid AS orders_paid,
        p.paid_gmv AS paid_gmv
    FROM
    (
        SELECT
            user_id,
            e.event_time AS paid_at,
            {counted}true) AS orders_paid,
            sum({amount}) AS paid_gmv
        FROM {source}
        WHERE {where} AND e.event_name = 'order_paid'
        GROUP BY user_id, paid_at
    ) AS p
    INNER JOIN ({_FIRST}) AS f ON f.user_id = p.user_id
) AS b
GROUP BY cohort, age"""
    return sql, parameters


# Of every payment of the campaign: to look only for the period's buyers would take a set as large as what it saves.
_FIRST = """
    SELECT
        user_id,
        min(o.event_time) AS first_at,
        argMin(toString(o.channel), (o.event_time, o.event_id)) AS first_channel,
        argMin(o.customer_type = 'new', (o.event_time, o.event_id)) AS is_new
    FROM order_events AS o
    WHERE o.campaign_id = {campaign_id:String} AND o.event_name = 'order_paid'
        AND o.event_time < toDateTime({end:UInt32}, 'UTC')
    GROUP BY user_id
"""


def _cohort(by: str, zone: ZoneInfo, parameters: dict[str, Any]) -> str:
    if by == "first_channel":
        return "f.first_channel"
    parameters["zone"] = zone.key
    return "toString(toDate(f.first_at, {zone:String}))"


def _events(question: Question) -> tuple[dict[str, Any], str, str, str, str]:
    """Parameters, source, conditions, the amount, and how events are counted: once, however many lines match."""
    parameters: dict[str, Any] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    lines = bool(question.dimensions & {"item_id", "item_category"})
    conditions = [
        "e.campaign_id = {campaign_id:String}",
        "e.event_time >= toDateTime({start:UInt32}, 'UTC')",
        "e.event_time < toDateTime({end:UInt32}, 'UTC')",
        "e.event_name IN ('order_paid', 'order_refunded')",
        *dimension_conditions(question, parameters),
        *phase_condition(question, parameters, "e.event_time"),
    ]
    return (
        parameters,
        f"order_events AS e{EXPLODED_LINES if lines else ''}",
        " AND ".join(conditions),
        f"toDecimal128({'amount' if lines else 'e.value'}, 2)",
        "uniqExactIf(e.event_id, " if lines else "countIf(",
    )
