"""SQL for questions: rollups where one answers, the events themselves where dimensions cross.

Every value travels as a bound parameter. Table, column and function names come from this file only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.metrics import DIMENSIONS, MEASURES, Kind, Measure, Shape
from services.common.query.buckets import even_step
from services.common.query.question import UNKNOWN, Question
from services.common.query.uniques import SpanPlan, span_plan, spans_source
from services.common.store import ONE_THREAD

_DISTINCT = "uniqCombined64"
_CELLS = 20


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT. Its columns are `bucket` (epoch seconds, 0 without buckets), `slice` ('' without a grouping) and
    one column a measure."""

    sql: str
    parameters: Mapping[str, Any]
    measures: tuple[str, ...]
    source: str
    rolled: Rolled | None = None


@dataclass(frozen=True, slots=True)
class Rolled:
    """What a statement takes from a table by minute: measures of one kind, kept under one dimension."""

    kind: Kind
    dimension: str
    measures: tuple[Measure, ...]

    @property
    def distinct(self) -> tuple[Measure, ...]:
        """Those that are distinct counts."""
        return tuple(measure for measure in self.measures if measure.shape is Shape.DISTINCT)


EVENTS = "events"
"""The column of `sums_of` and `within` that tells how many events a row's distinct counts are made from."""

_COUNTED = {Kind.TRAFFIC: "events", Kind.ORDERS: "orders_paid"}


@dataclass(frozen=True, slots=True)
class _Rollup:
    """A table by minute and the dimensions ('' is the whole) under which it keeps a measure."""

    table: str
    kept: Mapping[str, frozenset[str]]


_ALWAYS = frozenset({""})
_LINES = frozenset({"item_id", "item_category"})
_ORDER_DIMENSIONS = _ALWAYS | _LINES | {"channel", "region", "utm_source", "customer_type"}
_COUPON_DIMENSIONS = _ALWAYS | {"channel", "region"}
_SPEND_DIMENSIONS = _ALWAYS | {"channel", "region", "utm_source"}
_TRAFFIC_STATES = _ALWAYS | {"channel", "region", "utm_source", "device_category", "item_category"}

_ROLLUPS: dict[Kind, _Rollup] = {
    Kind.TRAFFIC: _Rollup(
        "traffic_by_minute",
        {"pv": _TRAFFIC_STATES | {"item_id"}, "uv": _TRAFFIC_STATES, "sessions": _ALWAYS | {"channel"}},
    ),
    Kind.ORDERS: _Rollup(
        "orders_by_minute",
        {m.name: _ORDER_DIMENSIONS for m in MEASURES.values() if m.kind is Kind.ORDERS} | {"paid_units": _LINES},
    ),
    Kind.COUPONS: _Rollup(
        "coupons_by_minute", {m.name: _COUPON_DIMENSIONS for m in MEASURES.values() if m.kind is Kind.COUPONS}
    ),
    Kind.SPEND: _Rollup(
        "spend_by_minute", {m.name: _SPEND_DIMENSIONS for m in MEASURES.values() if m.kind is Kind.SPEND}
    ),
}

_EVENTS = {
    Kind.TRAFFIC: "traffic_events",
    Kind.ORDERS: "order_events",
    Kind.COUPONS: "coupon_events",
    Kind.SPEND: "spend_events",
}

# An order without lines stands under 'unknown' with its whole value.
EXPLODED_LINES = """
ARRAY JOIN
    if(empty(line_item_id), ['unknown'], line_item_id) AS item_id,
    if(empty(line_item_id), ['unknown'], line_item_category) AS item_category,
    if(empty(line_item_id), [e.value], line_amount) AS amount,
    if(empty(line_item_id), [0], line_quantity) AS quantity"""

_ORDER_EVENT = {
    "orders_created": "order_created",
    "orders_paid": "order_paid",
    "orders_cancelled": "order_cancelled",
    "orders_refunded": "order_refunded",
    "payments_failed": "payment_failed",
    "gmv": "order_created",
    "paid_gmv": "order_paid",
    "refund_amount": "order_refunded",
}


def plan(question: Question, measures: Iterable[str], cuts: Mapping[Kind, int] | None = None) -> list[Statement]:
    """The statements whose answers together hold every measure that the question's dimensions leave defined.

    A measure whose kind of event lacks one of the dimensions is left out: its value is None. `cuts` is up to which
    arrival (epoch ms) events are folded, by kind; see `folds`.
    """
    statements = []
    wanted = [MEASURES[name] for name in sorted(set(measures))]
    # Phases are spans of time and no property of an event: they never need the events themselves.
    needed = question.dimensions - {"phase"}
    for kind in Kind:
        if not all(kind in DIMENSIONS[name] for name in question.dimensions):
            continue
        of_kind = [measure for measure in wanted if measure.kind is kind]
        key = next(iter(needed), "") if len(needed) <= 1 else None
        if key in _LINES and kind is Kind.ORDERS and question.group_by != key and len(question.filters[key]) > 1:
            # An order stands under each of its items; their sum would count it more than once.
            key = None
        rolled = [m for m in of_kind if key is not None and key in _ROLLUPS[kind].kept[m.name]]
        raw = [m for m in of_kind if m not in rolled]
        spans = span_plan(question, kind, rolled, key or "", cuts or {})
        if spans is not None:
            rolled = [measure for measure in rolled if measure.name not in spans.measures]
            statements.append(_from_spans(question, spans))
        if rolled:
            statements.append(_from_rollup(question, Rolled(kind, key or "", tuple(rolled))))
        if raw:
            statements.append(from_events(question, kind, raw))
    return statements


def sums_of(question: Question, rolled: Rolled) -> Statement:
    """The measures but for distinct counts, and `events`."""
    sums = tuple(measure for measure in rolled.measures if measure not in rolled.distinct)
    return _from_rollup(question, Rolled(rolled.kind, rolled.dimension, sums), counted=True)


def within(question: Question, rolled: Rolled, ranges: Sequence[tuple[int, int]]) -> Statement:
    """All the measures within some spans of time (epoch ms), and `events`."""
    return _from_rollup(question, rolled, counted=True, ranges=ranges)


def _from_rollup(
    question: Question, rolled: Rolled, *, counted: bool = False, ranges: Sequence[tuple[int, int]] = ()
) -> Statement:
    kind, dimension, measures = rolled.kind, rolled.dimension, rolled.measures
    parameters = _period(question)
    parameters["dimension"] = dimension
    conditions = ["t.dimension = {dimension:String}"]
    if ranges:
        conditions.append(f"({' OR '.join(_within(number, each, parameters) for number, each in enumerate(ranges))})")
    if dimension in question.filters:
        conditions.append("t.value IN {values:Array(String)}")
        parameters["values"] = list(question.filters[dimension])
    group = "t.value" if question.group_by is not None and question.group_by != "phase" else None
    columns = [
        f"{_DISTINCT}Merge({_CELLS})(t.{m.name}) AS {m.name}"
        if m.shape is Shape.DISTINCT
        else f"sum(t.{m.name}) AS {m.name}"
        for m in measures
    ]
    if counted:
        columns.append(f"sum(t.{_COUNTED[kind]}) AS {EVENTS}")
    table = _ROLLUPS[kind].table
    sql = _select(question, parameters, "t.minute", group, columns, f"{table} AS t", "t.minute", conditions)
    sql += _threads(question)
    return Statement(sql, parameters, tuple(m.name for m in measures), table, rolled)


def _within(number: int, span: tuple[int, int], parameters: dict[str, Any]) -> str:
    parameters |= {f"range{number}_start": span[0] // 1000, f"range{number}_end": span[1] // 1000}
    return (
        f"(t.minute >= toDateTime({{range{number}_start:UInt32}}, 'UTC') "
        f"AND t.minute < toDateTime({{range{number}_end:UInt32}}, 'UTC'))"
    )


def _threads(question: Question) -> str:
    # Items are many: adding them up is worth more threads.
    return "" if "item_id" in question.dimensions else ONE_THREAD


def _from_spans(question: Question, spans: SpanPlan) -> Statement:
    parameters = _period(question) | {"dimension": spans.dimension}
    source = f"{spans_source(spans, parameters)} AS t"
    conditions = []
    if spans.dimension in question.filters:
        conditions.append("t.value IN {values:Array(String)}")
        parameters["values"] = list(question.filters[spans.dimension])
    columns = [f"{_DISTINCT}MergeIf({_CELLS})(t.users, t.measure = '{name}') AS {name}" for name in spans.measures]
    group = "t.value" if question.group_by is not None and question.group_by != "phase" else None
    sql = _select(question, parameters, "t.minute", group, columns, source, "t.minute", conditions)
    sql += _threads(question)
    return Statement(sql, parameters, spans.measures, "uniques_by_span")


def from_events(question: Question, kind: Kind, measures: list[Measure]) -> Statement:
    """The measures of one kind of event, computed from the events themselves: exact for any crossing of dimensions,
    at a cost that grows with them."""
    parameters = _period(question)
    lines = kind is Kind.ORDERS and bool(question.dimensions & _LINES)
    source = f"{_EVENTS[kind]} AS e{EXPLODED_LINES if lines else ''}"
    group = question.group_by if question.group_by != "phase" else None
    conditions = dimension_conditions(question, parameters)
    columns = [f"{_raw_measure(measure, lines)} AS {measure.name}" for measure in measures]
    minute = "toStartOfMinute(e.event_time)"
    sql = _select(question, parameters, minute, group, columns, source, "e.event_time", conditions)
    return Statement(sql, parameters, tuple(m.name for m in measures), _EVENTS[kind])


def _raw_measure(measure: Measure, lines: bool) -> str:
    name = measure.name
    if name in ("gmv", "paid_gmv", "refund_amount"):
        amount = "amount" if lines else "e.value"
        return f"sumIf(toDecimal128({amount}, 2), event_name = '{_ORDER_EVENT[name]}')"
    if name in _ORDER_EVENT:
        # An order counts once however many of its lines match.
        if lines:
            return f"uniqExactIf(event_id, event_name = '{_ORDER_EVENT[name]}')"
        return f"countIf(event_name = '{_ORDER_EVENT[name]}')"
    return {
        "pv": "countIf(event_name IN ('page_view', 'view_item'))",
        "uv": f"{_DISTINCT}({_CELLS})(user_id)",
        "sessions": f"{_DISTINCT}If({_CELLS})(session_id, session_id != '')",
        "buyers": f"{_DISTINCT}If({_CELLS})(user_id, event_name = 'order_paid')",
        "new_buyers": f"{_DISTINCT}If({_CELLS})(user_id, event_name = 'order_paid' AND customer_type = 'new')",
        "paid_units": f"sumIf({'quantity' if lines else 'arraySum(line_quantity)'}, event_name = 'order_paid')",
        "coupons_issued": "countIf(event_name = 'coupon_issued')",
        "coupons_claimed": "countIf(event_name = 'coupon_claimed')",
        "coupons_redeemed": "countIf(event_name = 'coupon_redeemed')",
        "coupon_cost": "sumIf(toDecimal128(face_value, 2), event_name = 'coupon_redeemed')",
        "ad_cost": "sum(toDecimal128(e.cost, 2))",
        "impressions": "sum(e.impressions)",
        "clicks": "sum(e.clicks)",
    }[name]


def dimension_conditions(question: Question, parameters: dict[str, Any]) -> list[str]:
    """Conditions on the events' own columns for every filter but `phase`; their values go into `parameters`."""
    conditions = []
    for number, (dimension, values) in enumerate(sorted(question.filters.items())):
        if dimension != "phase":
            conditions.append(f"{dimension} IN {{filter{number}:Array(String)}}")
            parameters[f"filter{number}"] = list(values)
    return conditions


def phase_expression(question: Question, parameters: dict[str, Any], moment: str) -> str:
    """The name of the phase that holds the moment, the first declared where phases overlap."""
    branches = []
    for number, phase in enumerate(question.phases):
        parameters |= {
            f"phase{number}": phase.name,
            f"phase{number}_start": phase.start_ms // 1000,
            f"phase{number}_end": phase.end_ms // 1000,
        }
        branches.append(
            f"toUnixTimestamp({moment}) >= {{phase{number}_start:UInt32}} "
            f"AND toUnixTimestamp({moment}) < {{phase{number}_end:UInt32}}, {{phase{number}:String}}"
        )
    return f"multiIf({', '.join(branches)}, '{UNKNOWN}')" if branches else f"'{UNKNOWN}'"


def phase_condition(question: Question, parameters: dict[str, Any], moment: str) -> list[str]:
    """The condition of a filter by phase, if there is one."""
    if "phase" not in question.filters:
        return []
    parameters["phases"] = list(question.filters["phase"])
    return [f"{phase_expression(question, parameters, moment)} IN {{phases:Array(String)}}"]


def _period(question: Question) -> dict[str, Any]:
    return {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": max(question.start_ms, question.end_ms) // 1000,
    }


def _bucket(question: Question, parameters: dict[str, Any], minute: str) -> str:
    if not question.buckets:
        return "toUInt32(0)"
    step = even_step(question.buckets, question.end_ms)
    if step is None:
        parameters["starts"] = [start // 1000 for start in question.buckets]
        return f"roundDown(toUnixTimestamp({minute}), {{starts:Array(UInt32)}})"
    parameters["first"] = question.buckets[0] // 1000
    parameters["step"] = step // 1000
    return f"{{first:UInt32}} + intDiv(toUnixTimestamp({minute}) - {{first:UInt32}}, {{step:UInt32}}) * {{step:UInt32}}"


def _select(
    question: Question,
    parameters: dict[str, Any],
    minute: str,
    group: str | None,
    columns: list[str],
    source: str,
    time_column: str,
    conditions: list[str],
) -> str:
    if question.group_by == "phase":
        group = phase_expression(question, parameters, minute)
    where = [
        "campaign_id = {campaign_id:String}",
        f"{time_column} >= toDateTime({{start:UInt32}}, 'UTC')",
        f"{time_column} < toDateTime({{end:UInt32}}, 'UTC')",
        *conditions,
        *phase_condition(question, parameters, minute),
    ]
    listed = ",\n    ".join(
        [f"{_bucket(question, parameters, minute)} AS bucket", f"{group or repr('')} AS slice", *columns]
    )
    return f"SELECT\n    {listed}\nFROM {source}\nWHERE {' AND '.join(where)}\nGROUP BY bucket, slice"
