"""Answers what detectors ask: sums from panels that are kept up by the second, the rest from the store now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from schemas.metrics import Kind
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.panels import PANEL_MINUTES, Panels, kinds_of, panel_dimension
from services.alerts.readings.sql import panel_rows
from services.common.clock import MINUTE_MS, floor_minute
from services.common.query.engine import QueryEngine
from services.common.query.question import PhaseSpan, Question
from services.common.store import StorePool

_RECENT_MINUTES = 3
_LATE_MINUTES = 15
_LATE_EVERY_MS = 15_000
_ALL_EVERY_MS = 60_000
_PACE_MS = (3_000, 30_000)
"""The store is asked again after a sixtieth of the window, within these bounds."""
_AT_ONCE = 4
"""Questions to the store in one look: those that have waited longest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one campaign."""

    asks: Collection[Ask | Curve]
    plan: Plan | None


@dataclass(slots=True)
class Readings:
    """The answers about one campaign."""

    readings: dict[Ask, Reading] = field(default_factory=dict)
    curves: dict[Curve, CurveReading] = field(default_factory=dict)


class Reader:
    """Reads for all campaigns at once. Remembers answers between looks, so one task may use it."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool
        self._engine = QueryEngine(pool)
        self._panels = Panels()
        self._late_at: dict[Kind, int] = {}
        self._all_at: dict[Kind, int] = {}
        self._answers: dict[tuple[str, Ask | Curve], Reading | CurveReading] = {}

    async def read(self, now: int, watermark: int, wanted: Mapping[str, Wanted]) -> dict[str, Readings]:
        """The answers at `now`, epoch ms; those that could not be had yet are absent. Raises `StoreError`."""
        quick: dict[str, list[tuple[Ask | Curve, str]]] = {campaign: [] for campaign in wanted}
        slow: list[tuple[str, Ask | Curve]] = []
        for campaign, one in wanted.items():
            for ask in one.asks:
                dimension = panel_dimension(ask)
                if dimension is None:
                    slow.append((campaign, ask))
                else:
                    quick[campaign].append((ask, dimension))
        await asyncio.gather(self._refresh_panels(now, quick), self._refresh_answers(now, watermark, slow, wanted))
        self._panels.forget(wanted)
        # What is asked changes with the minute where a window ends at a moment.
        asked = {campaign: set(one.asks) for campaign, one in wanted.items()}
        self._answers = {key: answer for key, answer in self._answers.items() if key[1] in asked.get(key[0], ())}
        return {
            campaign: self._answered(campaign, now, watermark, one, quick[campaign]) for campaign, one in wanted.items()
        }

    def _answered(
        self, campaign: str, now: int, watermark: int, wanted: Wanted, quick: list[tuple[Ask | Curve, str]]
    ) -> Readings:
        answered = Readings()
        margin = Decimal(1) if wanted.plan is None else wanted.plan.gross_margin
        for ask, _ in quick:
            end_ms = end_of(ask, now, watermark)
            if isinstance(ask, Ask):
                answered.readings[ask] = self._panels.reading(campaign, ask, end_ms, margin, now)
            else:
                answered.curves[ask] = self._panels.curve(campaign, ask, end_ms, margin, now)
        for ask in wanted.asks:
            answer = self._answers.get((campaign, ask))
            if isinstance(ask, Ask) and isinstance(answer, Reading):
                answered.readings[ask] = answer
            elif isinstance(ask, Curve) and isinstance(answer, CurveReading):
                answered.curves[ask] = answer
        return answered

    async def _refresh_panels(self, now: int, quick: Mapping[str, list[tuple[Ask | Curve, str]]]) -> None:
        needed: dict[Kind, tuple[set[str], set[str]]] = {}
        for campaign, asks in quick.items():
            for ask, dimension in asks:
                for kind in kinds_of(ask):
                    campaigns, dimensions = needed.setdefault(kind, (set(), set()))
                    campaigns.add(campaign)
                    dimensions.add(dimension)
        await asyncio.gather(*(self._refresh(now, kind, *both) for kind, both in needed.items()))

    async def _refresh(self, now: int, kind: Kind, campaigns: set[str], dimensions: set[str]) -> None:
        # Events may be of some minutes ahead, where clocks differ: they count when their minute has come.
        until = now // MINUTE_MS + 1
        oldest = until - PANEL_MINUTES
        known = all(
            self._panels.covers(campaign, dimension, kind, oldest + 1)
            for campaign in campaigns
            for dimension in dimensions
        )
        if not known or now - self._all_at.get(kind, 0) >= _ALL_EVERY_MS:
            since = oldest
            self._all_at[kind] = self._late_at[kind] = now
        elif now - self._late_at.get(kind, 0) >= _LATE_EVERY_MS:
            since = until - _LATE_MINUTES
            self._late_at[kind] = now
        else:
            since = until - _RECENT_MINUTES
        rows = await self._pool.query(
            panel_rows(kind),
            {
                "ids": sorted(campaigns),
                "dimensions": sorted(dimensions),
                "from": since * 60,
                "until": until * 60,
            },
        )
        self._panels.replace(kind, campaigns, dimensions, since, until, rows)

    async def _refresh_answers(
        self, now: int, watermark: int, slow: list[tuple[str, Ask | Curve]], wanted: Mapping[str, Wanted]
    ) -> None:
        due = []
        for campaign, ask in slow:
            known = self._answers.get((campaign, ask))
            if known is None:
                due.append((0, campaign, ask))
            elif now - known.read_at >= _pace(ask):
                due.append((known.read_at, campaign, ask))
        due.sort(key=lambda entry: entry[0])
        chosen = [(campaign, ask) for _, campaign, ask in due[:_AT_ONCE]]
        answers = await asyncio.gather(
            *(self.answer(campaign, ask, now, watermark, wanted[campaign].plan) for campaign, ask in chosen)
        )
        for (campaign, ask), answer in zip(chosen, answers, strict=True):
            self._answers[campaign, ask] = answer

    async def answer(
        self, campaign: str, ask: Ask | Curve, now: int, watermark: int, plan: Plan | None
    ) -> Reading | CurveReading:
        """The store's own answer to anything that may be asked, at `now`. Raises `StoreError`."""
        margin = Decimal(1) if plan is None else plan.gross_margin
        end_ms = end_of(ask, now, watermark)
        if isinstance(ask, Ask):
            start_ms = end_ms - ask.window_ms if ask.since_ms is None else floor_minute(ask.since_ms)
            question = _question(ask.campaign_id or campaign, start_ms, end_ms, ask, plan)
            answer = await self._engine.metrics(question, ask.metrics, margin)
            rows = {value: row for (_, value), row in answer.rows.items()}
            return Reading(rows, start_ms, end_ms, now)
        steps = ask.length_ms // ask.step_ms
        start_ms = end_ms - steps * ask.step_ms
        buckets = tuple(start_ms + step * ask.step_ms for step in range(steps))
        question = _question(campaign, start_ms, end_ms, ask, plan, buckets)
        answer = await self._engine.metrics(question, ask.metrics, margin)
        values = {value for _, value in answer.rows}
        return CurveReading(
            {
                value: {
                    name: [answer.rows.get((bucket, value), answer.empty)[name] for bucket in buckets]
                    for name in ask.metrics
                }
                for value in values
            },
            start_ms,
            ask.step_ms,
            steps,
            now,
        )


def end_of(ask: Ask | Curve, now: int, watermark: int) -> int:
    """The end of its window, a whole minute, in epoch ms."""
    if isinstance(ask, Ask) and ask.until_ms is not None:
        return floor_minute(ask.until_ms)
    if ask.end == "now":
        return floor_minute(now) + MINUTE_MS
    return floor_minute(min(now, watermark))


def _pace(ask: Ask | Curve) -> int:
    span = (ask.window_ms or 10 * _PACE_MS[1]) if isinstance(ask, Ask) else ask.step_ms
    return max(_PACE_MS[0], min(_PACE_MS[1], span // 60))


def _question(
    campaign: str,
    start_ms: int,
    end_ms: int,
    ask: Ask | Curve,
    plan: Plan | None,
    buckets: tuple[int, ...] = (),
) -> Question:
    phases = () if plan is None else plan.phases
    return Question(
        campaign,
        start_ms,
        end_ms,
        filters=dict(ask.filters),
        group_by=ask.by,
        buckets=buckets,
        phases=tuple(PhaseSpan(one.name, floor_minute(one.start_ms), floor_minute(one.end_ms)) for one in phases),
    )
