"""SQL of the funnel: what each user did, put together from spans and events, and the earliest chain of steps in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.folds import (
    FUNNEL_SPANS,
    NEVER,
    ORDER_STEPS,
    ORDERS_SUMMARY,
    TABLES,
    TRAFFIC_SUMMARY,
    USER,
)
from services.common.query.question import Question
from services.common.query.spans import Cover, cover
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition, phase_expression
from services.common.query.uniques import span_condition

_SUMMARY = {Kind.TRAFFIC: TRAFFIC_SUMMARY, Kind.ORDERS: ORDERS_SUMMARY}
_WHOLE = "event_time >= toDateTime({start:UInt32}, 'UTC') AND event_time < toDateTime({end:UInt32}, 'UTC')"
_ENDS = (
    "((event_time >= toDateTime({start:UInt32}, 'UTC') AND event_time < toDateTime({span_first:UInt32}, 'UTC'))"
    " OR (event_time >= toDateTime({span_last:UInt32}, 'UTC') AND event_time < toDateTime({end:UInt32}, 'UTC')))"
)
_SINCE = (
    "event_time >= toDateTime({{span_first:UInt32}}, 'UTC') AND event_time < toDateTime({{span_last:UInt32}}, 'UTC')"
    " AND arrived_at >= fromUnixTimestamp64Milli({{cut_{kind}:Int64}}, 'UTC')"
)


def funnel_sql(question: Question, cuts: Mapping[Kind, int]) -> tuple[str, dict[str, Any]]:
    """One row a value of the grouping: `slice`, `users1` to `users6` who reached each step, and `median2` to `median6`,
    the median of the milliseconds since the step before. A value that nobody visited is absent, unless no event of
    traffic can have one.

    The earliest match is found in closed form: every event of traffic is a visit, so a user's first view is the first
    at or after the first visit, and each later step is the first of its kind at or after the step before.
    """
    parameters: dict[str, Any] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    sources = "\n    UNION ALL\n    ".join(_sources(question, cuts, parameters)) or _NOBODY
    counts = ",\n    ".join(f"countIf(t{step} < {NEVER}) AS users{step}" for step in range(1, 7))
    medians = ",\n    ".join(
        f"quantileExactInclusiveIf(0.5)(t{step} - t{step - 1}, t{step} < {NEVER}) AS median{step}"
        for step in range(2, 7)
    )
    sql = f"""SELECT
    slice,
    {counts},
    {medians}
FROM
(
    SELECT
        slice,
        t1,
        t2,
        {_next(0, "t2")} AS t3,
        {_next(1, "t3")} AS t4,
        {_next(2, "t4")} AS t5,
        {_next(3, "t5")} AS t6
    FROM
    (
        SELECT slice, user, min(visit) AS t1, min(view) AS t2, groupArrayArray(steps) AS later
        FROM
        (
    {sources}
        )
        GROUP BY slice, user
    )
    {"" if _lacks(question, Kind.TRAFFIC) else f"WHERE t1 < {NEVER}"}
)
GROUP BY slice"""
    return sql, parameters


_NOBODY = (
    f"SELECT '' AS slice, toUInt64(0) AS user, toUInt64({NEVER}) AS visit, toUInt64({NEVER}) AS view, "
    "[]::Array(UInt64) AS steps WHERE 0"
)


def _lacks(question: Question, kind: Kind) -> bool:
    return any(kind not in DIMENSIONS[dimension] for dimension in question.dimensions)


def _next(code: int, since: str) -> str:
    found = f"arrayFilter(step -> step % 4 = {code} AND intDiv(step, 4) >= {since}, later)"
    return f"if({since} = {NEVER} OR empty({found}), {NEVER}, intDiv(arrayMin({found}), 4))"


def _sources(question: Question, cuts: Mapping[Kind, int], parameters: dict[str, Any]) -> Iterator[str]:
    spans = _cover(question, cuts)
    if spans is None:
        for kind in TABLES:
            yield from _events(question, kind, _WHOLE, parameters)
        return
    parameters |= {"span_first": spans.first_ms // 1000, "span_last": spans.last_ms // 1000}
    ranges = " OR ".join(span_condition(number, each, parameters) for number, each in enumerate(spans.ranges))
    yield (
        "SELECT '' AS slice, user, visit, view, steps FROM funnel_by_span "
        f"WHERE campaign_id = {{campaign_id:String}} AND ({ranges})"
    )
    for kind in TABLES:
        parameters[f"cut_{kind}"] = cuts[kind]
        yield from _events(question, kind, _SINCE.format(kind=kind), parameters)
        yield from _events(question, kind, _ENDS, parameters)


def _cover(question: Question, cuts: Mapping[Kind, int]) -> Cover | None:
    """Spans hold users as a whole: whoever asks for a dimension is answered from the events."""
    if question.dimensions or any(kind not in cuts for kind in TABLES):
        return None
    return cover(question.start_ms, question.end_ms, FUNNEL_SPANS)


def _events(question: Question, kind: Kind, period: str, parameters: dict[str, Any]) -> Iterator[str]:
    # Without these events every later step is undefined anyway.
    if _lacks(question, kind):
        return
    lines = kind is Kind.ORDERS and question.dimensions & {"item_id", "item_category"}
    if question.group_by == "phase":
        group = phase_expression(question, parameters, "e.event_time")
    else:
        group = question.group_by or "''"
    conditions = [
        "campaign_id = {campaign_id:String}",
        period,
        *dimension_conditions(question, parameters),
        *phase_condition(question, parameters, "e.event_time"),
    ]
    if kind is Kind.ORDERS:
        conditions.append(ORDER_STEPS)
    yield (
        f"SELECT toString({group}) AS slice, {USER} AS user, {_SUMMARY[kind]}\n"
        f"    FROM {TABLES[kind]} AS e{EXPLODED_LINES if lines else ''}\n    WHERE {' AND '.join(conditions)}\n"
        "    GROUP BY slice, user"
    )
