"""How far the events are folded into spans, and the SQL that folds them.

Migration 0008 says what folds are. What is asked of `uniques_by_span` and `funnel_by_span` is always asked together
with the events that arrived after the cut that was read before, so an answer misses nothing, however far folding came.
"""

from __future__ import annotations

import asyncio

from schemas.metrics import Kind
from services.common.clock import to_ms
from services.common.query.spans import EVERYTHING
from services.common.store import ONE_THREAD, StorePool

UNIQUES_SPANS = (10, 30, 120, 480, 1440)
FUNNEL_SPANS = (10, 480)
"""Minutes; each divides the next."""

NEVER = 2**64 - 1
"""A time in `funnel_by_span` that is not known."""

USER = "cityHash64(user_id)"
"""A user in `funnel_by_span`. That two of ten million share a hash has a chance of one in 400,000."""

_CUT_SECONDS = 1.0
_KEEPS_UP_MS = 10 * 60_000

_CUTS = f"""
SELECT toString(kind) AS kind, max(end) AS cut, argMax(target, end) AS target
FROM folds
GROUP BY kind{ONE_THREAD}
"""


class FoldCuts:
    """Up to which moment of arrival each kind of event is folded. An older cut than the last is as right as that, so it
    is read about once a second at most."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool
        self._read_at: float | None = None
        self._cuts: dict[Kind, int] = {}

    async def read(self) -> dict[Kind, int]:
        """Epoch ms by kind; absent where folding has not begun, or is so far behind that the minutes tell sooner."""
        now = asyncio.get_running_loop().time()
        if self._read_at is None or not 0 <= now - self._read_at < _CUT_SECONDS:
            rows = await self._pool.query(_CUTS)
            self._cuts = {
                Kind(row["kind"]): to_ms(row["cut"])
                for row in rows
                if to_ms(row["target"]) - to_ms(row["cut"]) <= _KEEPS_UP_MS
            }
            self._read_at = now
        return self._cuts


_ARRIVED = (
    "arrived_at >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')"
    " AND arrived_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)
_MS = "toUInt64(toUnixTimestamp64Milli(event_time))"


def count_sql(kind: Kind) -> str:
    """How many events arrived in `[start, end)` (epoch ms), by slices of `step` ms: `slice`, `rows`."""
    return f"""
SELECT intDiv(toUnixTimestamp64Milli(arrived_at) - {{start:Int64}}, {{step:Int64}}) AS slice, count() AS rows
FROM {TABLES[kind]}
WHERE {_ARRIVED}
GROUP BY slice
ORDER BY slice
"""


def fold_sql(kind: Kind) -> list[str]:
    """The statements that fold what arrived in `[start, end)` (epoch ms). May be repeated."""
    return [_uniques(kind), _TRAFFIC_FUNNEL if kind is Kind.TRAFFIC else _ORDERS_FUNNEL]


TABLES = {Kind.TRAFFIC: "traffic_events", Kind.ORDERS: "order_events"}
"""The kinds that are folded."""

UNIQUES: dict[str, tuple[Kind, str, str]] = {
    "uv": (Kind.TRAFFIC, "user_id", "1"),
    "sessions": (Kind.TRAFFIC, "session_id", "session_id != ''"),
    "buyers": (Kind.ORDERS, "user_id", "event_name = 'order_paid'"),
    "new_buyers": (Kind.ORDERS, "user_id", "event_name = 'order_paid' AND customer_type = 'new'"),
}
"""The measures of `uniques_by_span`: of which kind of event, what is counted, and of which events."""

UNIQUES_DIMENSIONS = {
    "uv": ("", "channel"),
    "sessions": ("",),
    "buyers": ("", "channel"),
    "new_buyers": ("", "channel"),
}
"""Where each measure is kept; '' is the whole."""


def _start(span: str, moment: str) -> str:
    return f"toDateTime(intDivOrZero(toUInt32({moment}), {span} * 60) * {span} * 60, 'UTC')"


def _uniques(kind: Kind) -> str:
    """Grouped once, by the shortest span; the same sets stand under each longer one."""
    shortest = UNIQUES_SPANS[0]
    branches = []
    for measure, (of, identity, condition) in UNIQUES.items():
        if of is not kind:
            continue
        for dimension in UNIQUES_DIMENSIONS[measure]:
            value = f"toString({dimension})" if dimension else "''"
            branches.append(
                f"""    SELECT
        campaign_id,
        '{measure}' AS measure,
        '{dimension}' AS dimension,
        {value} AS value,
        {_start(str(shortest), "event_time")} AS short,
        uniqCombined64State(20)({identity}) AS users
    FROM {TABLES[kind]}
    WHERE {_ARRIVED} AND {condition}
    GROUP BY campaign_id, value, short"""
            )
    return f"""
INSERT INTO uniques_by_span (campaign_id, measure, dimension, value, span, start, users)
SELECT campaign_id, measure, dimension, value, span, {_start("span", "short")} AS start, users
FROM
(
{chr(10).join(branches[:1])}
{chr(10).join(f"    UNION ALL{chr(10)}{branch}" for branch in branches[1:])}
)
ARRAY JOIN {[EVERYTHING, *UNIQUES_SPANS]}::Array(UInt16) AS span
"""


def _funnel(table: str, columns: str, condition: str) -> str:
    return f"""
INSERT INTO funnel_by_span (campaign_id, span, start, user, visit, view, steps)
SELECT campaign_id, span, {_start("span", "short")} AS start, user, visit, view, steps
FROM
(
    SELECT
        campaign_id,
        {_start(str(FUNNEL_SPANS[0]), "event_time")} AS short,
        {USER} AS user,
        {columns}
    FROM {table}
    WHERE {_ARRIVED} AND {condition}
    GROUP BY campaign_id, short, user
)
ARRAY JOIN {[EVERYTHING, *FUNNEL_SPANS]}::Array(UInt16) AS span
"""


TRAFFIC_SUMMARY = f"""min({_MS}) AS visit,
        min(if(event_name = 'view_item', {_MS}, {NEVER})) AS view,
        groupUniqArrayIf(
            {_MS} * 4 + (event_name = 'begin_checkout'),
            event_name IN ('add_to_cart', 'begin_checkout')
        ) AS steps"""
ORDERS_SUMMARY = f"""toUInt64({NEVER}) AS visit,
        toUInt64({NEVER}) AS view,
        groupUniqArray({_MS} * 4 + 2 + (event_name = 'order_paid')) AS steps"""
"""What `funnel_by_span` holds of a user, from events; those of orders have to be `order_created` or `order_paid`."""

ORDER_STEPS = "event_name IN ('order_created', 'order_paid')"

_TRAFFIC_FUNNEL = _funnel("traffic_events", TRAFFIC_SUMMARY, "1")
_ORDERS_FUNNEL = _funnel("order_events", ORDERS_SUMMARY, ORDER_STEPS)
