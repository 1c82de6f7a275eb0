"""Asks the store and puts the measures of all kinds of events side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from schemas.metrics import DIMENSIONS, MEASURES, Shape, Value, compute, measures_of
from services.common.query.folds import FoldCuts
from services.common.query.question import Question
from services.common.query.sql import plan
from services.common.store import StorePool

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
        answers = await asyncio.gather(*(self._pool.query(s.sql, s.parameters) for s in statements))
        nothing = no_measures(question, wanted)
        merged: dict[Key, dict[str, Value]] = {}
        for statement, rows in zip(statements, answers, strict=True):
            for row in rows:
                key = (int(row["bucket"]) * 1000, str(row["slice"]))
                values = merged.setdefault(key, dict(nothing))
                values.update({name: row[name] for name in statement.measures})
        return merged


def no_measures(question: Question, names: Iterable[str]) -> dict[str, Value]:
    """The measures of no events at all: zero, or None where the kind of event lacks a dimension of the question."""
    return {
        name: None
        if any(MEASURES[name].kind not in DIMENSIONS[dimension] for dimension in question.dimensions)
        else (Decimal(0) if MEASURES[name].shape is Shape.MONEY else 0)
        for name in names
    }
