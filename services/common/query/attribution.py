"""Attribution: each paid order, and each refund of it, credited to one value of a dimension.

The buyers' traffic within the look-back is joined with their payments, and nobody else's. Every touch goes to exactly
one payment of its user, the nearest in the model's direction, so that what is held in memory grows with the payments
and not with the traffic; payments without a touch of their own then take that of their neighbour, if it is within the
look-back. Beyond `PAYMENTS_AT_ONCE` the users are taken in portions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.common.store import StorePool

MODELS = ("order", "first_touch", "last_touch")
"""What the order says, or the earliest or latest traffic of its buyer within the look-back."""

BY = ("channel", "utm_source", "utm_medium", "utm_campaign")
"""What can be credited; orders carry the first two only."""

UNATTRIBUTED = "unattributed"
"""What a payment without any touch is credited to, and a refund without a payment."""

PAYMENTS_AT_ONCE = 600_000
"""Payments and refunds of one portion of users: about 1.3 KB of memory each."""

_VALUES = {
    "channel": "toString(channel)",
    "utm_source": "if(utm_source = '', 'unknown', toString(utm_source))",
    "utm_medium": "if(utm_medium = '', 'unknown', toString(utm_medium))",
    "utm_campaign": "if(utm_campaign = '', 'unknown', toString(utm_campaign))",
}

_MARKED = "utm_source NOT IN ('', 'unknown') OR utm_medium != '' OR utm_campaign != ''"


@dataclass(frozen=True, slots=True)
class Credit:
    """What is to be credited, and how.

    `[start_ms, end_ms)` is the period of the payments and refunds. Payments within `[hour_start_ms, hour_end_ms)` are
    summed apart, be they in the period or not; equal bounds ask for none. All in whole minutes but `lookback_ms`.
    """

    campaign_id: str
    start_ms: int
    end_ms: int
    model: str
    by: str
    lookback_ms: int
    hour_start_ms: int = 0
    hour_end_ms: int = 0


@dataclass(frozen=True, slots=True)
class Credited:
    """The sums of what was credited to one value. `hour_gmv` is the paid money of the hour asked for."""

    orders_paid: int = 0
    paid_gmv: Decimal = Decimal(0)
    refund_amount: Decimal = Decimal(0)
    buyers: int = 0
    new_buyers: int = 0
    hour_gmv: Decimal = Decimal(0)

    def plus(self, other: Credited) -> Credited:
        """The sums of two portions that have no user in common."""
        return Credited(
            self.orders_paid + other.orders_paid,
            self.paid_gmv + other.paid_gmv,
            self.refund_amount + other.refund_amount,
            self.buyers + other.buyers,
            self.new_buyers + other.new_buyers,
            self.hour_gmv + other.hour_gmv,
        )


async def attribute(pool: StorePool, credit: Credit, payments_at_once: int = PAYMENTS_AT_ONCE) -> dict[str, Credited]:
    """What was credited, by value; a value without any is absent. Counts of buyers are exact."""
    if credit.end_ms <= credit.start_ms:
        return {}
    sql, parameters = size_sql(credit)
    size = int((await pool.query(sql, parameters))[0]["events"])
    portions = 1 if credit.model == "order" else max(1, -(-size // payments_at_once))
    total: dict[str, Credited] = {}
    for portion in range(portions):
        sql, parameters = attribution_sql(credit, portion, portions)
        for row in await pool.query(sql, parameters):
            found = Credited(**{name: row[name] for name in Credited.__dataclass_fields__})
            total[row["value"]] = total.get(row["value"], Credited()).plus(found)
    return total


def size_sql(credit: Credit) -> tuple[str, Mapping[str, Any]]:
    """Column `events`: how many payments and refunds there are to credit."""
    return (
        f"SELECT count() AS events FROM order_events WHERE ({_paid()}) OR ({_refunded()})",
        _parameters(credit),
    )


def attribution_sql(credit: Credit, portion: int = 0, portions: int = 1) -> tuple[str, Mapping[str, Any]]:
    """One row a value: column `value` and those of `Credited`, for one portion of the users."""
    parameters = _parameters(credit) | {"portion": portion, "portions": portions}
    own = _VALUES[credit.by] if credit.model == "order" else "''"
    rows = _credited_rows(own)
    if credit.model == "order":
        value = "own"
        source = f"({rows}) AS e"
    else:
        parameters["lookback"] = credit.lookback_ms
        value = f"if(c.value = '', '{UNATTRIBUTED}', c.value)"
        source = f"({rows}) AS e\nLEFT JOIN ({_touches(credit, rows)}) AS c USING (user_id, paid_ms)"
    return (
        f"""
SELECT
    {value} AS value,
    countIf(e.is_paid AND e.in_period) AS orders_paid,
    sumIf(toDecimal128(e.amount, 2), e.is_paid AND e.in_period) AS paid_gmv,
    sumIf(toDecimal128(e.amount, 2), NOT e.is_paid) AS refund_amount,
    uniqExactIf(e.user_id, e.is_paid AND e.in_period) AS buyers,
    uniqExactIf(e.user_id, e.is_paid AND e.in_period AND e.customer_type = 'new') AS new_buyers,
    sumIf(toDecimal128(e.amount, 2), e.is_paid AND e.in_hour) AS hour_gmv
FROM {source}
GROUP BY value
SETTINGS join_use_nulls = 0""",
        parameters,
    )


def _parameters(credit: Credit) -> dict[str, Any]:
    return {
        "campaign_id": credit.campaign_id,
        "start": credit.start_ms // 1000,
        "end": credit.end_ms // 1000,
        "hour_start": credit.hour_start_ms // 1000,
        "hour_end": credit.hour_end_ms // 1000,
    }


_OF_CAMPAIGN = "campaign_id = {campaign_id:String}"
_IN_PERIOD = "event_time >= toDateTime({start:UInt32}, 'UTC') AND event_time < toDateTime({end:UInt32}, 'UTC')"
_IN_HOUR = "event_time >= toDateTime({hour_start:UInt32}, 'UTC') AND event_time < toDateTime({hour_end:UInt32}, 'UTC')"


def _paid() -> str:
    return f"{_OF_CAMPAIGN} AND event_name = 'order_paid' AND ({_IN_PERIOD} OR {_IN_HOUR})"


def _refunded() -> str:
    return f"{_OF_CAMPAIGN} AND event_name = 'order_refunded' AND {_IN_PERIOD}"


def _credited_rows(own: str) -> str:
    """Payments, and refunds under the first payment of their order; '' and 0 where there is none."""
    mine = "cityHash64(user_id) % {portions:UInt32} = {portion:UInt32}"
    return f"""
    SELECT
        user_id,
        toUnixTimestamp64Milli(event_time) AS paid_ms,
        {own} AS own,
        true AS is_paid,
        {_IN_PERIOD} AS in_period,
        {_IN_HOUR} AS in_hour,
        value AS amount,
        toString(customer_type) AS customer_type
    FROM order_events
    WHERE {_paid()} AND {mine}
    UNION ALL
    SELECT
        f.user_id AS user_id,
        f.paid_ms AS paid_ms,
        if(f.paid_ms = 0, '{UNATTRIBUTED}', f.own) AS own,
        false AS is_paid,
        true AS in_period,
        false AS in_hour,
        r.value AS amount,
        '' AS customer_type
    FROM (SELECT order_id, value FROM order_events WHERE {_refunded()}) AS r
    LEFT JOIN
    (
        SELECT
            order_id,
            argMin(o.user_id, (o.event_time, o.event_id)) AS user_id,
            argMin({own}, (o.event_time, o.event_id)) AS own,
            toUnixTimestamp64Milli(min(o.event_time)) AS paid_ms
        FROM order_events AS o
        WHERE {_OF_CAMPAIGN}
            AND event_name = 'order_paid'
            AND order_id IN (SELECT order_id FROM order_events WHERE {_refunded()})
        GROUP BY order_id
    ) AS f ON f.order_id = r.order_id
    WHERE cityHash64(f.user_id) % {{portions:UInt32}} = {{portion:UInt32}}"""


def _touches(credit: Credit, rows: str) -> str:
    """The value that each payment, named by `user_id` and `paid_ms`, is credited to."""
    last = credit.model == "last_touch"
    slots = f"SELECT DISTINCT user_id, paid_ms, paid_ms - {{lookback:Int64}} AS open_ms FROM ({rows}) WHERE paid_ms > 0"
    # The nearest payment after the touch, or the latest whose look-back it is within: one of them in either case.
    nearest = "t.ms <= s.paid_ms" if last else "t.ms >= s.open_ms"
    best, argbest = ("maxIf", "argMaxIf") if last else ("minIf", "argMinIf")
    # Its own slot and those that its neighbours' touches may fall to: earlier payments' are as good for a last touch.
    frame = (
        "PARTITION BY user_id ORDER BY paid_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        if last
        else "PARTITION BY user_id ORDER BY paid_ms ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
    )
    within = "{0} > 0 AND {0} BETWEEN paid_ms - {{lookback:Int64}} AND paid_ms"
    marked = "true" if credit.by == "channel" else _MARKED
    return f"""
    WITH (SELECT (min(open_ms), max(paid_ms)) FROM ({slots})) AS span
    SELECT
        user_id,
        paid_ms,
        multiIf(
            {within.format("marked_ms")}, marked_value,
            {within.format("plain_ms")}, 'unknown',
            ''
        ) AS value
    FROM
    (
        SELECT
            user_id,
            paid_ms,
            {best}(m.marked_ms, m.marked_ms > 0) OVER ({frame}) AS marked_ms,
            {argbest}(m.marked_value, m.marked_ms, m.marked_ms > 0) OVER ({frame}) AS marked_value,
            {best}(m.plain_ms, m.plain_ms > 0) OVER ({frame}) AS plain_ms
        FROM
        (
            SELECT
                user_id,
                paid_ms,
                {best}(ms, touch = 'marked') AS marked_ms,
                {argbest}(value, place, touch = 'marked') AS marked_value,
                {best}(ms, touch = 'plain') AS plain_ms
            FROM
            (
                SELECT user_id, paid_ms, toInt64(0) AS ms, '' AS place, '' AS value, '' AS touch FROM ({slots})
                UNION ALL
                SELECT t.user_id, s.paid_ms, t.ms, t.place, t.value, t.touch
                FROM
                (
                    SELECT
                        user_id,
                        toUnixTimestamp64Milli(event_time) AS ms,
                        -- Time and id as one text of the same order: quicker to compare than a pair, and smaller.
                        concat(toString(ms + 10000000000000), event_id) AS place,
                        {_VALUES[credit.by]} AS value,
                        if({marked}, 'marked', 'plain') AS touch
                    FROM traffic_events
                    WHERE {_OF_CAMPAIGN}
                        AND event_time >= fromUnixTimestamp64Milli(greatest(span.1, 0), 'UTC')
                        AND event_time <= fromUnixTimestamp64Milli(span.2, 'UTC')
                        -- By hash, which is the quicker set; the join compares the users themselves.
                        AND cityHash64(user_id) IN (SELECT cityHash64(user_id) FROM ({slots}))
                ) AS t
                ASOF INNER JOIN ({slots}) AS s ON t.user_id = s.user_id AND {nearest}
            )
            GROUP BY user_id, paid_ms
        ) AS m
    )"""
