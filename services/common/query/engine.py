"""Asks the store and puts the measures of all kinds of events side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from schemas.metrics import DIMENSIONS, MEASURES, Shape, Value, compute, measures_of
from services.common.query.curves import Cell, Counted, CurveMemory, merge_ranges
from services.common.query.folds import FoldCuts
from services.common.query.question import Question
from services.common.query.sql import EVENTS, Rolled, Statement, plan, sums_of, within
from services.common.store import Row, StorePool

_LEAST_BUCKETS = 10

Key = tuple[int, str]
"""A span's start in epoch ms (0 without buckets) and the value of the dimension ('' without a grouping)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Metrics by key; a key that has no events is absent. `empty` is what such a key would hold."""

    rows: dict[Key, dict[str, Value]]
    empty: dict[str, Value]


class QueryEngine:
    """Answers questions about campaigns from the store."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool
        self.cuts = FoldCuts(pool)
        self._memory = CurveMemory()

    async def metrics(self, question: Question, names: Iterable[str], gross_margin: Decimal) -> Answer:
        """The named metrics for every key of the question that has events."""
        wanted = tuple(names)
        found = await self.measures(question, measures_of(wanted))
        nothing = no_measures(question, measures_of(wanted))
        return Answer(
            {key: {name: compute(name, row, gross_margin) for name in wanted} for key, row in found.items()},
            {name: compute(name, nothing, gross_margin) for name in wanted},
        )

    async def measures(self, question: Question, names: Iterable[str]) -> dict[Key, dict[str, Value]]:
        """The named measures for every key of the question that has events; None where undefined."""
        wanted = frozenset(names)
        if question.end_ms <= question.start_ms:
            return {}
        statements = plan(question, wanted, await self.cuts.read())
        answers = await asyncio.gather(*(self._ask(question, statement) for statement in statements))
        nothing = no_measures(question, wanted)
        merged: dict[Key, dict[str, Value]] = {}
        for statement, rows in zip(statements, answers, strict=True):
            for row in rows:
                key = (int(row["bucket"]) * 1000, str(row["slice"]))
                values = merged.setdefault(key, dict(nothing))
                values.update({name: row[name] for name in statement.measures})
        return merged

    async def _ask(self, question: Question, statement: Statement) -> list[Row]:
        rolled = statement.rolled
        if len(question.buckets) < _LEAST_BUCKETS or rolled is None or not rolled.distinct:
            return await self._pool.query(statement.sql, statement.parameters)
        return await self._ask_again(question, rolled)

    async def _ask_again(self, question: Question, rolled: Rolled) -> list[Row]:
        """As the statement would answer, but counts distinct users only where events have arrived since the last time:
        who looks at a curve looks at it again and again."""
        sums = sums_of(question, rolled)
        rows = await self._pool.query(sums.sql, sums.parameters)
        spans = _spans(question)
        names = [measure.name for measure in rolled.distinct]
        filters = tuple(sorted(question.filters.items()))
        key = (question.campaign_id, rolled.dimension, tuple(names), filters, question.group_by, question.phases)
        known = self._memory.curve(key)
        answer: dict[Cell, Row] = {}
        stale = set()
        for row in rows:
            start, end = spans[row["bucket"] * 1000]
            cell = (start, str(row["slice"]))
            counted = known.counted(cell, end, row[EVENTS])
            if counted is None:
                stale.add((start, end))
            else:
                answer[cell] = {**row, **dict(zip(names, counted.counts, strict=True))}
        if stale:
            # Whole rows, so that none holds the sums of one moment and the users of another.
            statement = within(question, rolled, merge_ranges(stale))
            found = {}
            for row in await self._pool.query(statement.sql, statement.parameters):
                start, end = spans[row["bucket"] * 1000]
                cell = (start, str(row["slice"]))
                found[cell] = Counted(end, row[EVENTS], tuple(row[name] for name in names))
                answer[cell] = row
            self._memory.remember(key, found)
        return list(answer.values())


def _spans(question: Question) -> dict[int, tuple[int, int]]:
    """What of each bucket lies in the period, by the bucket's start."""
    ends = [*question.buckets[1:], question.end_ms]
    return {
        start: (max(start, question.start_ms), min(end, question.end_ms))
        for start, end in zip(question.buckets, ends, strict=True)
    }


def no_measures(question: Question, names: Iterable[str]) -> dict[str, Value]:
    """The measures of no events at all: zero, or None where the kind of event lacks a dimension of the question."""
    return {
        name: None
        if any(MEASURES[name].kind not in DIMENSIONS[dimension] for dimension in question.dimensions)
        else (Decimal(0) if MEASURES[name].shape is Shape.MONEY else 0)
        for name in names
    }
