"""Distinct users over long periods: spans that are folded, the minutes at both ends, and what arrived since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.metrics import Kind, Measure
from services.common.query.folds import TABLES, UNIQUES, UNIQUES_DIMENSIONS, UNIQUES_SPANS
from services.common.query.question import Question
from services.common.query.spans import Cover, SpanRange, aligned, cover

_MINUTES = {Kind.TRAFFIC: "traffic_by_minute", Kind.ORDERS: "orders_by_minute"}
_LEAST_MINUTES = 30
"""Below this the minutes alone are as quick."""


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """Answers one measure of a question from spans; `cut_ms` is up to which arrival they are folded."""

    measure: Measure
    dimension: str
    cover: Cover
    cut_ms: int


def span_plan(question: Question, measure: Measure, dimension: str, cuts: Mapping[Kind, int]) -> SpanPlan | None:
    """How spans answer the measure, None where they cannot or would not help."""
    if dimension not in UNIQUES_DIMENSIONS.get(measure.name, ()) or measure.kind not in cuts:
        return None
    if question.end_ms - question.start_ms < _LEAST_MINUTES * 60_000:
        return None
    moments = list(question.buckets)
    if question.group_by == "phase" or "phase" in question.filters:
        moments += [moment for phase in question.phases for moment in (phase.start_ms, phase.end_ms)]
    found = cover(question.start_ms, question.end_ms, aligned(UNIQUES_SPANS, moments))
    return SpanPlan(measure, dimension, found, cuts[measure.kind]) if found is not None else None


def spans_source(plan: SpanPlan, parameters: dict[str, Any]) -> str:
    """What to select from, in parentheses: columns `campaign_id`, `minute`, `value` and `users`, a state.

    `minute` is the start of a span. Takes `campaign_id`, `dimension`, `start` and `end` of `parameters`, adds its own.
    """
    kind, identity, condition = UNIQUES[plan.measure.name]
    parameters |= {
        "measure": plan.measure.name,
        "span_first": plan.cover.first_ms // 1000,
        "span_last": plan.cover.last_ms // 1000,
        "cut": plan.cut_ms,
    }
    spans = " OR ".join(span_condition(number, each, parameters) for number, each in enumerate(plan.cover.ranges))
    value = f"toString({plan.dimension})" if plan.dimension else "''"
    return f"""(
    SELECT campaign_id, start AS minute, value, users
    FROM uniques_by_span
    WHERE campaign_id = {{campaign_id:String}} AND measure = {{measure:String}} AND dimension = {{dimension:String}}
        AND ({spans})
    UNION ALL
    SELECT campaign_id, minute, value, {plan.measure.name} AS users
    FROM {_MINUTES[kind]}
    WHERE campaign_id = {{campaign_id:String}} AND dimension = {{dimension:String}}
        AND (
            (minute >= toDateTime({{start:UInt32}}, 'UTC') AND minute < toDateTime({{span_first:UInt32}}, 'UTC'))
            OR (minute >= toDateTime({{span_last:UInt32}}, 'UTC') AND minute < toDateTime({{end:UInt32}}, 'UTC'))
        )
    UNION ALL
    SELECT
        campaign_id,
        toStartOfMinute(event_time) AS minute,
        {value} AS value,
        uniqCombined64State(20)({identity}) AS users
    FROM {TABLES[kind]}
    WHERE campaign_id = {{campaign_id:String}} AND {condition}
        AND event_time >= toDateTime({{span_first:UInt32}}, 'UTC')
        AND event_time < toDateTime({{span_last:UInt32}}, 'UTC')
        AND arrived_at >= fromUnixTimestamp64Milli({{cut:Int64}}, 'UTC')
    GROUP BY campaign_id, minute, value
)"""


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
