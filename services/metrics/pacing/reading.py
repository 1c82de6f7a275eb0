"""Reads the courses of goals from the store: one question for all goals of the same span."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from schemas.metrics import METRICS, Value
from services.common.clock import MINUTE_MS
from services.common.query.completeness import Completeness
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.metrics.campaigns import KnownCampaign
from services.metrics.pacing.goals import Goal, Nature, Scope
from services.metrics.pacing.pace import BURN_MINUTES, LATE_MINUTES, Course, Part
from services.metrics.tables import gross_margin

_STEPS = (1, 5, 15, 60, 360, 1440, 10_080)
MOST_PARTS = 300
"""A span is read in parts of minutes or longer, about so many."""

_Amounts = Mapping[tuple[int, str], Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A goal, its course, and the watermark that it was judged at: None when ingest has reported none."""

    goal: Goal
    course: Course
    watermark_ms: int | None


@dataclass(frozen=True, slots=True)
class _Span:
    start_ms: int
    end_ms: int
    until_ms: int
    by_channel: bool

    @property
    def cuts(self) -> tuple[int, ...]:
        """The starts of its parts up to the moment of judgement."""
        minutes = (self.until_ms - self.start_ms) // MINUTE_MS
        step = next((step for step in _STEPS if minutes / step <= MOST_PARTS), _STEPS[-1])
        late = {self.until_ms - window * MINUTE_MS for window in (LATE_MINUTES, BURN_MINUTES)}
        regular = range(self.start_ms, self.until_ms, step * MINUTE_MS)
        return tuple(sorted({*regular, *(moment for moment in late if moment > self.start_ms)}))


@dataclass(slots=True)
class _Found:
    """What the store answered about a span, here and in the baseline. Keys are the starts of parts, and channels."""

    parts: _Amounts = field(default_factory=dict)
    whole: _Amounts = field(default_factory=dict)
    shape: _Amounts | None = None
    """The baseline's parts, by the starts of this campaign's."""
    shape_then: _Amounts = field(default_factory=dict)
    shape_next: _Amounts | None = None
    """The baseline up to a minute later."""
    shape_total: _Amounts = field(default_factory=dict)


async def read_courses(
    engine: QueryEngine,
    campaign: KnownCampaign,
    baseline: KnownCampaign | None,
    goals: Iterable[Goal],
    completeness: Completeness,
) -> list[Reading]:
    """The course of each goal, in the same order. `completeness` was read before."""
    judged: list[tuple[Goal, int | None, _Span]] = []
    for goal in goals:
        watermark = completeness.until(METRICS[goal.metric].kinds)
        known = completeness.as_of_ms if watermark is None else min(watermark, completeness.as_of_ms)
        span = _Span(goal.start_ms, goal.end_ms, goal.judged_until(known), goal.scope is Scope.BUDGET)
        judged.append((goal, watermark, span))
    spans = {span: [goal for goal, _, other in judged if other == span] for _, _, span in judged}
    answers = await asyncio.gather(
        *(_read(engine, campaign, baseline, span, of_span, completeness) for span, of_span in spans.items())
    )
    found = dict(zip(spans, answers, strict=True))
    return [Reading(goal, _course(goal, span, found[span]), watermark) for goal, watermark, span in judged]


async def _read(
    engine: QueryEngine,
    campaign: KnownCampaign,
    baseline: KnownCampaign | None,
    span: _Span,
    goals: list[Goal],
    completeness: Completeness,
) -> _Found:
    sums = sorted({goal.metric for goal in goals if goal.nature is Nature.SUM})
    others = sorted({goal.metric for goal in goals if goal.nature is not Nature.SUM})
    distinct = sorted({goal.metric for goal in goals if goal.nature is Nature.DISTINCT})
    here = Question(
        campaign.campaign_id,
        span.start_ms,
        span.until_ms,
        filters={"channel": tuple(sorted(goal.channel for goal in goals))} if span.by_channel else {},
        group_by="channel" if span.by_channel else None,
        extent=campaign.extent,
    )

    async def ask(known: KnownCampaign, question: Question, names: list[str]) -> _Amounts:
        if not names:
            return {}
        return (await engine.metrics(question, names, gross_margin(known))).rows

    found = _Found()
    if baseline is None:
        found.parts, found.whole = await asyncio.gather(
            ask(campaign, replace(here, buckets=span.cuts), sums), ask(campaign, here, others)
        )
        return found
    distance = baseline.start_ms - campaign.start_ms
    there = replace(
        here,
        campaign_id=baseline.campaign_id,
        start_ms=max(0, span.start_ms + distance),
        end_ms=max(0, span.end_ms + distance),
    )
    then = replace(there, end_ms=max(0, span.until_ms + distance))
    kinds = {kind for goal in goals for kind in METRICS[goal.metric].kinds}
    watermark = completeness.until(kinds)
    over = there.end_ms <= min(completeness.as_of_ms, completeness.as_of_ms if watermark is None else watermark)
    # A baseline that is still going on has no total to take shares of.
    usable = over and there.start_ms < there.end_ms
    coming = usable and span.until_ms < span.end_ms
    found.parts, found.whole, shape, found.shape_then, following, found.shape_total = await asyncio.gather(
        ask(campaign, replace(here, buckets=span.cuts), sums),
        ask(campaign, here, others),
        ask(baseline, replace(then, buckets=tuple(cut + distance for cut in span.cuts)), sums if usable else []),
        ask(baseline, then, distinct if usable else []),
        ask(baseline, replace(then, end_ms=then.end_ms + MINUTE_MS), sums + distinct if coming else []),
        ask(baseline, there, sums + distinct if usable else []),
    )
    if usable:
        found.shape_next = following if coming else None
        found.shape = {(start - distance, value): row for (start, value), row in shape.items()}
    return found


def _course(goal: Goal, span: _Span, found: _Found) -> Course:
    metric, channel = goal.metric, goal.channel

    def one(amounts: _Amounts) -> Value:
        return amounts.get((0, channel), {}).get(metric)

    if goal.nature is Nature.RATIO:
        return Course(span.until_ms, one(found.whole))
    following = None if found.shape_next is None else one(found.shape_next) or 0
    if goal.nature is Nature.DISTINCT:
        shape = one(found.shape_then) or 0, one(found.shape_total) or 0
        return Course(span.until_ms, one(found.whole) or 0, (), *shape, following)
    cuts = span.cuts
    parts = [
        Part(
            start,
            end,
            found.parts.get((start, channel), {}).get(metric, 0),
            None if found.shape is None else found.shape.get((start, channel), {}).get(metric, 0),
        )
        for start, end in zip(cuts, (*cuts[1:], span.until_ms), strict=False)
    ]
    value = sum((Decimal(part.amount or 0) for part in parts), Decimal(0))
    then: Value = None
    total: Value = None
    if found.shape is not None:
        then = sum((Decimal(part.shape or 0) for part in parts), Decimal(0))
        total = one(found.shape_total)
    return Course(span.until_ms, _as(goal, value), parts, then, total, following)


def _as(goal: Goal, amount: Decimal) -> Value:
    """A count is a whole number, money a decimal."""
    return amount if METRICS[goal.metric].unit.value == "money" else int(amount)
