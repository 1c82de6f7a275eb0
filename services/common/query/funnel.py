"""The funnel: how far each user came, counted exactly from the events."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition, phase_expression
from services.common.store import StorePool

STEPS: tuple[tuple[str, Kind], ...] = (
    ("visit", Kind.TRAFFIC),
    ("view_item", Kind.TRAFFIC),
    ("add_to_cart", Kind.TRAFFIC),
    ("begin_checkout", Kind.TRAFFIC),
    ("order_created", Kind.ORDERS),
    ("order_paid", Kind.ORDERS),
)
"""The steps in order, with the kind of event that each is made of."""

# Longer than any campaign, and small enough that adding it to a time in ms overflows nothing.
_WINDOW_MS = 10**14


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`users` reached this step: None when an event up to it cannot carry a dimension of the question."""

    step: str
    users: int | None
    step_conversion: float | None
    overall_conversion: float | None


async def funnel(pool: StorePool, question: Question) -> dict[str, list[FunnelStep]]:
    """The funnel of each value of the grouping ('' without one). A value with no user at all is absent."""
    possible = _possible_steps(question)
    counts: dict[str, list[int]] = {}
    if question.end_ms > question.start_ms:
        sql, parameters = funnel_sql(question)
        for row in await pool.query(sql, parameters):
            levels = counts.setdefault(str(row["slice"]), [0] * (len(STEPS) + 1))
            levels[int(row["level"])] += int(row["users"])
    if question.group_by is None:
        counts.setdefault("", [0] * (len(STEPS) + 1))
    return {
        value: funnel_steps([sum(levels[step:]) for step in range(1, len(STEPS) + 1)], possible)
        for value, levels in counts.items()
        if question.group_by is None or any(levels[1:]) or possible == 0
    }


def funnel_steps(reached: list[int], possible: int) -> list[FunnelStep]:
    """The rows of a funnel from how many users reached each step, of which the first `possible` are defined."""
    rows = []
    for number, (name, _) in enumerate(STEPS):
        if number >= possible:
            rows.append(FunnelStep(name, None, None, None))
            continue
        users = reached[number]
        before = reached[number - 1] if number else users
        rows.append(
            FunnelStep(name, users, users / before if before else None, users / reached[0] if reached[0] else None)
        )
    return rows


def _possible_steps(question: Question) -> int:
    for number, (_, kind) in enumerate(STEPS):
        if any(kind not in DIMENSIONS[dimension] for dimension in question.dimensions):
            return number
    return len(STEPS)


def funnel_sql(question: Question) -> tuple[str, dict[str, object]]:
    """The furthest step of each user, counted: columns `slice`, `level` (0 to 6), `users`.

    windowFunnel orders events of the same millisecond by step, so "at or after" holds, and a single event may serve
    several steps.
    """
    parameters: dict[str, object] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    branches = []
    for kind, table in ((Kind.TRAFFIC, "traffic_events"), (Kind.ORDERS, "order_events")):
        # Without these events every later step is undefined anyway.
        if any(kind not in DIMENSIONS[dimension] for dimension in question.dimensions):
            continue
        lines = kind is Kind.ORDERS and question.dimensions & {"item_id", "item_category"}
        if question.group_by == "phase":
            group = phase_expression(question, parameters, "e.event_time")
        else:
            group = question.group_by or "''"
        conditions = [
            "campaign_id = {campaign_id:String}",
            "event_time >= toDateTime({start:UInt32}, 'UTC')",
            "event_time < toDateTime({end:UInt32}, 'UTC')",
            *dimension_conditions(replace(question), parameters),
            *phase_condition(question, parameters, "e.event_time"),
        ]
        if kind is Kind.ORDERS:
            conditions.append("event_name IN ('order_created', 'order_paid')")
        branches.append(
            f"SELECT user_id, toString({group}) AS slice, toUnixTimestamp64Milli(event_time) AS ms, "
            f"{int(kind is Kind.TRAFFIC)} AS is_traffic, toString(event_name) AS event_name\n"
            f"    FROM {table} AS e{EXPLODED_LINES if lines else ''}\n    WHERE {' AND '.join(conditions)}"
        )
    events = "\n    UNION ALL\n    ".join(branches) or (
        "SELECT '' AS user_id, '' AS slice, toInt64(0) AS ms, 0 AS is_traffic, '' AS event_name WHERE 0"
    )
    steps = ",\n            ".join(
        "is_traffic"
        if name == "visit"
        else f"{'' if kind is Kind.TRAFFIC else 'NOT '}is_traffic AND event_name = '{name}'"
        for name, kind in STEPS
    )
    sql = f"""SELECT slice, level, count() AS users
FROM
(
    SELECT
        slice,
        user_id,
        windowFunnel({_WINDOW_MS})(
            toUInt64(ms),
            {steps}
        ) AS level
    FROM
    (
    {events}
    )
    GROUP BY slice, user_id
)
GROUP BY slice, level"""
    return sql, parameters
