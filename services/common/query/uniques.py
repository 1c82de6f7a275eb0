"""Distinct users over long periods: spans that are folded, the minutes at both ends, and what arrived since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.metrics import Kind, Measure
from services.common.query.folds import TABLES, UNIQUES, UNIQUES_DIMENSIONS, UNIQUES_SPANS
from services.common.query.question import Question
from services.common.query.spans import Cover, SpanRange, aligned, cover, whole

_MINUTES = {Kind.TRAFFIC: "traffic_by_minute", Kind.ORDERS: "orders_by_minute"}
_LEAST_MINUTES = 30
"""Below this the minutes alone are as quick."""


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """Answers measures of one kind of event from spans; `cut_ms` is up to which arrival they are folded."""

    kind: Kind
    measures: tuple[str, ...]
    dimension: str
    cover: Cover
    cut_ms: int


def span_plan(
    question: Question, kind: Kind, measures: Iterable[Measure], dimension: str, cuts: Mapping[Kind, int]
) -> SpanPlan | None:
    """How spans answer those of the measures that they can answer; None where they cannot or would not help."""
    names = tuple(each.name for each in measures if dimension in UNIQUES_DIMENSIONS.get(each.name, ()))
    if not names or kind not in cuts:
        return None
    found = _cover(question)
    return SpanPlan(kind, names, dimension, found, cuts[kind]) if found is not None else None


def _cover(question: Question) -> Cover | None:
    moments = list(question.buckets)
    if question.group_by == "phase" or "phase" in question.filters:
        moments += [moment for phase in question.phases for moment in (phase.start_ms, phase.end_ms)]
    if question.everything and not moments:
        return whole(question.start_ms, question.end_ms)
    if question.end_ms - question.start_ms < _LEAST_MINUTES * 60_000:
        return None
    return cover(question.start_ms, question.end_ms, aligned(UNIQUES_SPANS, moments))


def spans_source(plan: SpanPlan, parameters: dict[str, Any]) -> str:
    """What to select from, in parentheses: columns `campaign_id`, `minute`, `value`, `measure` and `users`, a state.

    `minute` is the start of a span. Takes `campaign_id`, `dimension`, `start` and `end` of `parameters`, adds its own.
    """
    parameters |= {
        "measures": list(plan.measures),
        "span_first": plan.cover.first_ms // 1000,
        "span_last": plan.cover.last_ms // 1000,
        "cut": plan.cut_ms,
    }
    branches = [_folded(plan, parameters), _arrived_since(plan)]
    ends = {parameters["start"], parameters["end"]} - {parameters["span_first"], parameters["span_last"]}
    if ends:
        branches.append(_minutes(plan))
    return f"(\n{'    UNION ALL'.join(branches)})"


def _folded(plan: SpanPlan, parameters: dict[str, Any]) -> str:
    spans = " OR ".join(span_condition(number, each, parameters) for number, each in enumerate(plan.cover.ranges))
    return f"""
    SELECT
        campaign_id,
        greatest(start, toDateTime({{start:UInt32}}, 'UTC')) AS minute,
        value,
        toString(measure) AS measure,
        users
    FROM uniques_by_span
    WHERE campaign_id = {{campaign_id:String}} AND measure IN {{measures:Array(String)}}
        AND dimension = {{dimension:String}} AND ({spans})
"""


def _minutes(plan: SpanPlan) -> str:
    return f"""
    SELECT campaign_id, minute, value, measure, users
    FROM {_MINUTES[plan.kind]}
    ARRAY JOIN {{measures:Array(String)}} AS measure, [{", ".join(plan.measures)}] AS users
    WHERE campaign_id = {{campaign_id:String}} AND dimension = {{dimension:String}}
        AND (
            (minute >= toDateTime({{start:UInt32}}, 'UTC') AND minute < toDateTime({{span_first:UInt32}}, 'UTC'))
            OR (minute >= toDateTime({{span_last:UInt32}}, 'UTC') AND minute < toDateTime({{end:UInt32}}, 'UTC'))
        )
"""


def _arrived_since(plan: SpanPlan) -> str:
    value = f"toString({plan.dimension})" if plan.dimension else "''"
    any_of = " OR ".join(f"({UNIQUES[name][2]})" for name in plan.measures)
    states = ", ".join(
        f"uniqCombined64StateIf(20)({identity}, {condition})"
        for _, identity, condition in (UNIQUES[name] for name in plan.measures)
    )
    return f"""
    SELECT campaign_id, minute, value, measure, users
    FROM
    (
        SELECT campaign_id, toStartOfMinute(event_time) AS minute, {value} AS value, [{states}] AS states
        FROM {TABLES[plan.kind]}
        WHERE campaign_id = {{campaign_id:String}}
            AND event_time >= toDateTime({{span_first:UInt32}}, 'UTC')
            AND event_time < toDateTime({{span_last:UInt32}}, 'UTC')
            AND arrived_at >= fromUnixTimestamp64Milli({{cut:Int64}}, 'UTC')
            AND ({any_of})
        GROUP BY campaign_id, minute, value
    )
    ARRAY JOIN {{measures:Array(String)}} AS measure, states AS users
"""


def span_condition(number: int, spans: SpanRange, parameters: dict[str, Any]) -> str:
    """Which rows of a table by span make up the range."""
    parameters |= {
        f"span{number}": spans.minutes,
        f"span{number}_start": spans.start_ms // 1000,
        f"span{number}_end": spans.end_ms // 1000,
    }
    return (
        f"(span = {{span{number}:UInt16}} AND start >= toDateTime({{span{number}_start:UInt32}}, 'UTC') "
        f"AND start < toDateTime({{span{number}_end:UInt32}}, 'UTC'))"
    )
