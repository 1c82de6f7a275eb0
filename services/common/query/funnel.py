"""The funnel: how far each user came, counted exactly from the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.folds import FoldCuts
from services.common.query.funnel_sql import funnel_sql
from services.common.query.question import Question
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


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`users` reached this step: None when an event up to it cannot carry a dimension of the question.

    `lost` reached the step before and not this one; `median_seconds` is the median of the time between the two over
    those who did. Both are None for the first step.
    """

    step: str
    users: int | None
    step_conversion: float | None
    overall_conversion: float | None
    lost: int | None
    median_seconds: float | None


async def funnel(pool: StorePool, question: Question, cuts: FoldCuts) -> dict[str, list[FunnelStep]]:
    """The funnel of each value of the grouping ('' without one). A value with no user at all is absent."""
    possible = _possible_steps(question)
    found: dict[str, list[FunnelStep]] = {}
    if question.end_ms > question.start_ms:
        sql, parameters = funnel_sql(question, await cuts.read())
        for row in await pool.query(sql, parameters):
            reached = [int(row[f"users{step}"]) for step in range(1, len(STEPS) + 1)]
            medians = [None, *(row[f"median{step}"] for step in range(2, len(STEPS) + 1))]
            found[str(row["slice"])] = funnel_steps(reached, possible, medians)
    if question.group_by is None:
        found.setdefault("", funnel_steps([0] * len(STEPS), possible, [None] * len(STEPS)))
    return found


def funnel_steps(reached: list[int], possible: int, medians_ms: Sequence[float | None]) -> list[FunnelStep]:
    """The rows of a funnel from how many users reached each step, of which the first `possible` are defined."""
    rows = []
    for number, (name, _) in enumerate(STEPS):
        if number >= possible:
            rows.append(FunnelStep(name, None, None, None, None, None))
            continue
        users = reached[number]
        before = reached[number - 1] if number else users
        median = medians_ms[number] if number and users else None
        rows.append(
            FunnelStep(
                name,
                users,
                users / before if before else None,
                users / reached[0] if reached[0] else None,
                before - users if number else None,
                median / 1000 if median is not None else None,
            )
        )
    return rows


def _possible_steps(question: Question) -> int:
    for number, (_, kind) in enumerate(STEPS):
        if any(kind not in DIMENSIONS[dimension] for dimension in question.dimensions):
            return number
    return len(STEPS)
