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
from services.common.query.spans import Cover, cover, whole
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition, phase_expression
from services.common.query.uniques import span_condition
from services.common.store import EACH_SHARD

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
    at or after the first visit, and each later step is the first of its kind at or after the step before. `t1` to `t6`
    are times x 4 and a little, as `later` holds them.
    """
    parameters: dict[str, Any] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    sources = "\n    UNION ALL\n    ".join(_sources(question, cuts, parameters)) or _NOBODY
    counts = ",\n    ".join(f"countIf(t{step} < {NEVER}) AS users{step}" for step in range(1, 7))
    medians = ",\n    ".join(
        f"quantileExactInclusiveIf(0.5)(bitShiftRight(t{step}, 2) - bitShiftRight(t{step - 1}, 2), t{step} < {NEVER})"
        f" AS median{step}"
        for step in range(2, 7)
    )
    # Users are told apart sooner by one number than by a number and a text.
    slice_, keys = ("m.slice", "slice, user") if question.group_by else ("''", "user")
    sql = f"""SELECT
    slice,
    {counts},
    {medians}
FROM {EACH_SHARD}
(
    SELECT
        slice,
        {_time4("visit")} AS t1,
        {_time4("view")} AS t2,
        {_next(0, "t2")} AS t3,
        {_next(1, "t3")} AS t4,
        {_next(2, "t4")} AS t5,
        {_next(3, "t5")} AS t6
    FROM
    (
        SELECT
            {slice_} AS slice,
            user,
            min(m.visit) AS visit,
            min(m.view) AS view,
            groupArrayArray(m.steps) AS later
        FROM
        (
    {sources}
        ) AS m
        GROUP BY {keys}
    )
    {"" if _lacks(question, Kind.TRAFFIC) else f"WHERE visit < {NEVER}"}
)
GROUP BY slice"""
    return sql, parameters


_NOBODY = (
    f"SELECT '' AS slice, toUInt64(0) AS user, toUInt64({NEVER}) AS visit, toUInt64({NEVER}) AS view, "
    "[]::Array(UInt64) AS steps WHERE 0"
)


def _lacks(question: Question, kind: Kind) -> bool:
    return any(kind not in DIMENSIONS[dimension] for dimension in question.dimensions)


def _time4(moment: str) -> str:
    return f"if({moment} = {NEVER}, {NEVER}, bitShiftLeft({moment}, 2))"


def _next(code: int, since: str) -> str:
    """The first of the later steps of a kind at or after another. Steps order as their times do, so that nothing needs
    to be taken apart but what is found."""
    fits = f"if(bitAnd(step, 3) = {code} AND step >= {since}, step, {NEVER})"
    return f"if(empty(later), {NEVER}, arrayMin(step -> {fits}, later))"


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
        if (spans.first_ms, spans.last_ms) != (question.start_ms, question.end_ms):
            yield from _events(question, kind, _ENDS, parameters)


def _cover(question: Question, cuts: Mapping[Kind, int]) -> Cover | None:
    """Spans hold users as a whole: whoever asks for a dimension is answered from the events."""
    if question.dimensions or any(kind not in cuts for kind in TABLES):
        return None
    if question.everything:
        return whole(question.start_ms, question.end_ms)
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
