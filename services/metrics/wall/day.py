"""The curve of the whole campaign, in few enough parts to be drawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from schemas.metrics import METRICS, Value
from services.common.clock import to_ms
from services.common.query.buckets import bucket_starts
from services.common.query.completeness import Completeness
from services.common.query.engine import Answer, QueryEngine
from services.common.query.question import Question
from services.common.tabular import Column, Type, json_table
from services.metrics.baselines.choice import Baseline
from services.metrics.campaigns import KnownCampaign
from services.metrics.tables import gross_margin

MOST_ROWS = 300

_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 10_080, 43_200)
_COLUMNS = [Column("time", Type.TIME), Column("gmv", Type.MONEY), Column("baseline_gmv", Type.MONEY)]
_METRIC = "gmv"


def day_starts(campaign: KnownCampaign, end_ms: int) -> tuple[int, tuple[int, ...]]:
    """The minutes of a part, the least of which `MOST_ROWS` reach over `[start, end_ms)`, and the starts of all."""
    for minutes in _MINUTES:
        if (end_ms - campaign.start_ms) // (minutes * 60_000) > MOST_ROWS:
            continue
        starts = bucket_starts(campaign.start_ms, end_ms, minutes, campaign.zone)
        if len(starts) <= MOST_ROWS:
            return minutes, starts
    # Beyond thirty years of a campaign the first ones.
    return _MINUTES[-1], bucket_starts(campaign.start_ms, end_ms, _MINUTES[-1], campaign.zone)[:MOST_ROWS]


async def day_panel(
    engine: QueryEngine,
    campaign: KnownCampaign,
    baseline: Baseline | None,
    question: Question,
    completeness: Completeness,
) -> dict[str, Any]:
    """The question's GMV from the campaign's start to its end, and the baseline's at the same distance from its own.

    A part that begins after the question's end, or may still get its first event, has no value; nor has any without a
    baseline.
    """
    end = to_ms(campaign.declared.end) if campaign.declared is not None else question.end_ms
    # Of a campaign that ended long ago the time since then is not to be drawn.
    question = replace(question, end_ms=min(question.end_ms, end))
    minutes, starts = day_starts(campaign, end)
    begun = tuple(start for start in starts if start < question.end_ms)
    here, there = await asyncio.gather(
        _ask(engine, campaign, replace(question, buckets=begun)), _baseline(engine, baseline, question, starts, end)
    )
    rows = []
    for number, start in enumerate(starts):
        until = starts[number + 1] if number + 1 < len(starts) else end
        value = _value(here, start, min(until, question.end_ms), completeness) if start < question.end_ms else None
        then = None
        if baseline is not None and there is not None:
            moment = baseline.shift.moment(start)
            then = _value(there, moment, baseline.shift.moment(until), completeness)
        rows.append({"time": campaign.local(start), "gmv": value, "baseline_gmv": then})
    about = completeness.about(question.end_ms, METRICS[_METRIC].kinds)
    return {"interval": _interval(minutes), **json_table(_COLUMNS, rows, about)}


async def _ask(engine: QueryEngine, campaign: KnownCampaign, question: Question) -> Answer:
    return await engine.metrics(question, (_METRIC,), gross_margin(campaign))


async def _baseline(
    engine: QueryEngine, baseline: Baseline | None, question: Question, starts: tuple[int, ...], end_ms: int
) -> Answer | None:
    if baseline is None:
        return None
    there = baseline.question(replace(question, end_ms=end_ms), end_ms)
    spans = baseline.shift.spans(starts, there.start_ms, there.end_ms, 0)
    return await _ask(engine, baseline.campaign, replace(there, buckets=spans))


def _value(answer: Answer, start_ms: int, end_ms: int, completeness: Completeness) -> Value:
    found = answer.rows.get((start_ms, ""))
    if found is not None:
        return found[_METRIC]
    return answer.empty[_METRIC] if completeness.covers(end_ms, METRICS[_METRIC].kinds) else None


def _interval(minutes: int) -> str:
    for unit, length in (("d", 1440), ("h", 60)):
        if minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"
