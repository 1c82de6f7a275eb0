"""A series beside the one that it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.metrics import METRICS, Value
from services.common.clock import to_ms
from services.common.query.completeness import Completeness
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.tabular import Column, Type
from services.metrics.baselines.choice import Baseline
from services.metrics.baselines.comparison import difference, ratio
from services.metrics.tables import Table, gross_margin, metric_type

_Then = Callable[[int, str], dict[str, Value]]
"""The metrics that are compared with a span, by its start and value of the grouping; all None where there are none."""


async def compared_series(
    engine: QueryEngine,
    baseline: Baseline | None,
    question: Question,
    names: tuple[str, ...],
    minutes: int,
    completeness: Completeness,
    table: Table,
) -> Table:
    """The series with three more columns a metric: the baseline's value, the difference and the ratio.

    `table` is the answer to the question itself; its rows stay. A span that has no counterpart, or whose counterpart
    begins later than now, has none of the three; without a baseline that holds for all.
    """
    columns, rows = table
    starts = tuple(sorted({to_ms(row["time"]) for row in rows}))

    def nothing(start_ms: int, value: str) -> dict[str, Value]:
        return dict.fromkeys(names)

    then = nothing if baseline is None else await _ask(engine, baseline, question, names, minutes, completeness, starts)
    joined: list[dict[str, Any]] = []
    for row in rows:
        found = then(to_ms(row["time"]), row[question.group_by] if question.group_by else "")
        beside: dict[str, Any] = {}
        for name in names:
            beside[f"{name}_baseline"] = found[name]
            beside[f"{name}_difference"] = difference(row[name], found[name])
            beside[f"{name}_ratio"] = ratio(row[name], found[name])
        joined.append(row | beside)
    return [*columns, *(column for name in names for column in _columns(name))], joined


async def _ask(
    engine: QueryEngine,
    baseline: Baseline,
    question: Question,
    names: tuple[str, ...],
    minutes: int,
    completeness: Completeness,
    starts: tuple[int, ...],
) -> _Then:
    there = baseline.question(question, completeness.as_of_ms)
    spans = baseline.shift.spans(starts, there.start_ms, there.end_ms, minutes)
    answer = await engine.metrics(replace(there, buckets=spans), names, gross_margin(baseline.campaign))
    ends = dict(zip(spans, (*spans[1:], there.end_ms), strict=False))
    kinds = {name: METRICS[name].kinds for name in names}

    def then(start_ms: int, value: str) -> dict[str, Value]:
        start = baseline.shift.counterpart(start_ms)
        end = None if start is None else ends.get(start)
        if start is None or end is None:
            return dict.fromkeys(names)
        empty = {name: answer.empty[name] if completeness.covers(end, kinds[name]) else None for name in names}
        return answer.rows.get((start, value)) or empty

    return then


def _columns(name: str) -> tuple[Column, ...]:
    kind = metric_type(name)
    return Column(f"{name}_baseline", kind), Column(f"{name}_difference", kind), Column(f"{name}_ratio", Type.RATIO)
