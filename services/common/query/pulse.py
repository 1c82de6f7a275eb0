"""What happens second by second: from the pulse where it carries the filters, else from the events themselves."""

from __future__ import annotations

from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition
from services.common.store import Row, StorePool

TRAFFIC = ("events",)
ORDERS = ("orders_created", "orders_paid", "gmv", "paid_gmv")

# A phase is a span of time and no property of an event.
_PULSE_DIMENSIONS = frozenset({"channel", "phase"})
_LINES = frozenset({"item_id", "item_category"})


async def read_pulse(pool: StorePool, question: Question, start_ms: int, end_ms: int) -> list[Row]:
    """One row for each second in `[start_ms, end_ms)` (whole seconds) in which something happened, in their order.

    `second` in epoch seconds; `events` of traffic; `orders_created`, `orders_paid`, `gmv`, `paid_gmv`. The question's
    filters hold, its period does not. What cannot carry a filter is None.
    """
    asked = set(question.filters)
    if asked <= _PULSE_DIMENSIONS:
        return await pool.query(*_from_pulse(question, start_ms, end_ms))
    kinds = [kind for kind in (Kind.TRAFFIC, Kind.ORDERS) if all(kind in DIMENSIONS[name] for name in asked)]
    if not kinds:
        return []
    return [
        # A second of the one kind has none of the other, unless that lacks the dimension altogether.
        {name: None if kind not in kinds else row[name] for kind, names in _COLUMNS.items() for name in names}
        | {"second": row["second"]}
        for row in await pool.query(*_from_events(question, kinds, start_ms, end_ms))
    ]


_COLUMNS = {Kind.TRAFFIC: TRAFFIC, Kind.ORDERS: ORDERS}


def _from_pulse(question: Question, start_ms: int, end_ms: int) -> tuple[str, dict[str, Any]]:
    parameters = _period(question, start_ms, end_ms)
    conditions = dimension_conditions(question, parameters) + phase_condition(question, parameters, "p.second")
    sums = ",\n    ".join(f"sum(p.{'traffic' if name == 'events' else name}) AS {name}" for name in (*TRAFFIC, *ORDERS))
    sql = f"""
SELECT
    toUnixTimestamp(p.second) AS second,
    {sums}
FROM pulse_by_second AS p
WHERE {_where("p.second", conditions)}
GROUP BY second
ORDER BY second
"""
    return sql, parameters


def _from_events(question: Question, kinds: list[Kind], start_ms: int, end_ms: int) -> tuple[str, dict[str, Any]]:
    parameters = _period(question, start_ms, end_ms)
    conditions = dimension_conditions(question, parameters) + phase_condition(question, parameters, "e.event_time")
    where = _where("e.event_time", conditions)
    lines = bool(question.filters.keys() & _LINES)
    amount = f"toDecimal128({'amount' if lines else 'e.value'}, 2)"
    # With its lines side by side an event stands once for each line that matches.
    number = "uniqExactIf(e.event_id, " if lines else "countIf("
    branches = {
        Kind.TRAFFIC: f"""
    SELECT
        toUnixTimestamp(e.event_time) AS second,
        count() AS events,
        toUInt64(0) AS orders_created,
        toUInt64(0) AS orders_paid,
        toDecimal128(0, 2) AS gmv,
        toDecimal128(0, 2) AS paid_gmv
    FROM traffic_events AS e
    WHERE {where}
    GROUP BY second""",
        Kind.ORDERS: f"""
    SELECT
        toUnixTimestamp(e.event_time) AS second,
        toUInt64(0) AS events,
        {number}e.event_name = 'order_created') AS orders_created,
        {number}e.event_name = 'order_paid') AS orders_paid,
        sumIf({amount}, e.event_name = 'order_created') AS gmv,
        sumIf({amount}, e.event_name = 'order_paid') AS paid_gmv
    FROM order_events AS e{EXPLODED_LINES if lines else ""}
    WHERE {where}
    GROUP BY second""",
    }
    sums = ",\n    ".join(f"sum(b.{name}) AS {name}" for name in (*TRAFFIC, *ORDERS))
    union = "\n    UNION ALL".join(branches[kind] for kind in kinds)
    sql = f"""
SELECT
    b.second AS second,
    {sums}
FROM
({union}
) AS b
GROUP BY second
ORDER BY second
"""
    return sql, parameters


def _period(question: Question, start_ms: int, end_ms: int) -> dict[str, Any]:
    return {"campaign_id": question.campaign_id, "start": start_ms // 1000, "end": end_ms // 1000}


def _where(moment: str, conditions: list[str]) -> str:
    return " AND ".join(
        [
            "campaign_id = {campaign_id:String}",
            f"{moment} >= toDateTime({{start:UInt32}}, 'UTC')",
            f"{moment} < toDateTime({{end:UInt32}}, 'UTC')",
            *conditions,
        ]
    )
