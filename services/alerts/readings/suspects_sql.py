"""How often each account and device did something, as ClickHouse counts it in the events of a window.

A till is no suspect: orders of a store (`store_id`, or the channel `store`) are left out, for there one device or one
employee's account serves everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.alerts.readings.suspects import POINTS, TOP, Deed


@dataclass(frozen=True, slots=True)
class _Source:
    table: str
    event_name: str
    ref: str
    amount: str
    also: str = ""


_ELSEWHERE = "AND t.store_id = '' AND t.channel != 'store'"

_SOURCES: dict[Deed, _Source] = {
    "orders": _Source("order_events", "order_paid", "order_id", "value", _ELSEWHERE),
    "refunds": _Source("order_events", "order_refunded", "order_id", "value", _ELSEWHERE),
    "claims": _Source("coupon_events", "coupon_claimed", "coupon_id", "face_value", "AND t.channel != 'store'"),
    "redemptions": _Source("coupon_events", "coupon_redeemed", "coupon_id", "face_value", "AND t.channel != 'store'"),
}

_SPAN = """t.event_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND t.event_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')"""


def counts(deed: Deed) -> str:
    """By campaign and kind: how many have how many, and the ids of those with {least} or more."""
    source = _SOURCES[deed]
    return f"""
SELECT
    toString(campaign_id) AS campaign_id,
    kind,
    sumMap([toUInt32(least(events, 100000))], [toUInt64(1)]) AS histogram,
    arraySlice(arrayReverseSort(groupArrayIf((events, identity), events >= {{least:UInt32}})), 1, {TOP}) AS top
FROM
(
    SELECT t.campaign_id AS campaign_id, subject.1 AS kind, subject.2 AS identity, count() AS events
    FROM {source.table} AS t
    ARRAY JOIN [('user', t.user_id), ('device', t.device_id)] AS subject
    WHERE t.campaign_id IN {{ids:Array(String)}}
    AND {_SPAN}
    AND t.event_name = '{source.event_name}' {source.also}
    AND subject.2 != ''
    GROUP BY campaign_id, kind, identity
)
GROUP BY campaign_id, kind
"""


def suspects(deed: Deed) -> str:
    """What is known of those in {users} and {devices} of one campaign."""
    source = _SOURCES[deed]
    return f"""
SELECT
    subject.1 AS kind,
    subject.2 AS identity,
    count() AS events,
    uniqExact(subject.3) AS others,
    any(subject.3) AS other,
    sum(t.{source.amount}) AS amount,
    toUnixTimestamp64Milli(min(t.event_time)) AS first,
    toUnixTimestamp64Milli(max(t.event_time)) AS last,
    arraySlice(
        arrayReverseSort(groupArray((toUnixTimestamp64Milli(t.event_time), t.{source.ref}, t.{source.amount}))),
        1, {POINTS}
    ) AS points
FROM {source.table} AS t
ARRAY JOIN [('user', t.user_id, t.device_id), ('device', t.device_id, t.user_id)] AS subject
WHERE t.campaign_id = {{id:String}}
    AND {_SPAN}
    AND t.event_name = '{source.event_name}' {source.also}
    AND (t.user_id IN {{users:Array(String)}} OR t.device_id IN {{devices:Array(String)}})
    AND if(subject.1 = 'user', subject.2 IN {{users:Array(String)}}, subject.2 IN {{devices:Array(String)}})
GROUP BY kind, identity
"""


PAID = f"""
SELECT subject.1 AS kind, subject.2 AS identity, uniqExact(t.order_id) AS paid
FROM order_events AS t
ARRAY JOIN [('user', t.user_id), ('device', t.device_id)] AS subject
WHERE t.campaign_id = {{id:String}}
    AND {_SPAN}
    AND t.event_name = 'order_paid'
    AND (t.user_id IN {{users:Array(String)}} OR t.device_id IN {{devices:Array(String)}})
GROUP BY kind, identity
"""


def batches(deed: Deed) -> str:
    """By campaign and batch: events since {recent} and in [{from}, {until})."""
    source = _SOURCES[deed]
    recent = "t.event_time >= fromUnixTimestamp64Milli({recent:Int64}, 'UTC')"
    before = "t.event_time < fromUnixTimestamp64Milli({until:Int64}, 'UTC')"
    return f"""
SELECT
    toString(t.campaign_id) AS campaign_id,
    toString(t.batch_id) AS batch,
    countIf({recent}) AS recent_events,
    countIf({before}) AS before_events,
    uniqExactIf(t.user_id, {recent}) AS people,
    uniqExactIf(if(t.device_id = '', t.user_id, t.device_id), {recent}) AS devices,
    sumIf(t.{source.amount}, {recent}) AS amount,
    toUnixTimestamp64Milli(minIf(t.event_time, {recent})) AS first,
    toUnixTimestamp64Milli(min(t.event_time)) AS earliest
FROM {source.table} AS t
WHERE t.campaign_id IN {{ids:Array(String)}}
    AND {_SPAN}
    AND t.event_name = '{source.event_name}'
GROUP BY campaign_id, batch
"""
