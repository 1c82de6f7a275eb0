"""The pacing table: one row a goal."""

from __future__ import annotations

from typing import Any

from schemas.metrics import METRICS, Unit, Value
from services.common.errors import NotFound
from services.common.query.completeness import KINDS, Completeness
from services.common.query.engine import QueryEngine
from services.common.tabular import About, Column, Type
from services.metrics.campaigns import CampaignBook, KnownCampaign
from services.metrics.pacing.goals import Goal, goals_of
from services.metrics.pacing.pace import pace
from services.metrics.pacing.reading import Reading, read_courses
from services.metrics.tables import Table

PACING_COLUMNS = [
    Column("metric", Type.TEXT),
    Column("scope", Type.TEXT),
    Column("phase", Type.TEXT),
    Column("channel", Type.TEXT),
    Column("from", Type.TIME),
    Column("to", Type.TIME),
    Column("state", Type.TEXT),
    Column("target", Type.NUMBER),
    Column("value", Type.NUMBER),
    Column("attained", Type.RATIO),
    Column("expected", Type.NUMBER),
    Column("expected_from", Type.TEXT),
    Column("expected_per_minute", Type.RATIO),
    Column("ahead", Type.NUMBER),
    Column("projected", Type.NUMBER),
    Column("projected_low", Type.NUMBER),
    Column("projected_high", Type.NUMBER),
    Column("rate_per_minute", Type.RATIO),
    Column("needed_per_minute", Type.RATIO),
    Column("behind", Type.FLAG),
    Column("exhausted_at", Type.TIME),
    Column("complete_until", Type.TIME),
]


def pacing_about(campaign: KnownCampaign, completeness: Completeness) -> About:
    """How complete the table is: wholly when everything is in up to the end of the last goal."""
    goals = [] if campaign.declared is None else goals_of(campaign.declared, campaign.phases)
    kinds = {kind.value for goal in goals for kind in METRICS[goal.metric].kinds}
    return completeness.about(max((goal.end_ms for goal in goals), default=completeness.as_of_ms), kinds or KINDS)


async def pacing_table(
    engine: QueryEngine, book: CampaignBook, campaign: KnownCampaign, completeness: Completeness
) -> Table:
    """Every target and budget of the campaign; no rows for one that was never declared."""
    return PACING_COLUMNS, [
        _row(campaign, reading, completeness.as_of_ms)
        for reading in await read_pacing(engine, book, campaign, completeness)
    ]


async def read_pacing(
    engine: QueryEngine, book: CampaignBook, campaign: KnownCampaign, completeness: Completeness
) -> list[Reading]:
    """The goals with their courses."""
    if campaign.declared is None:
        return []
    goals = goals_of(campaign.declared, campaign.phases)
    baseline = None
    if goals and campaign.declared.baseline_campaign_id is not None:
        try:
            baseline = await book.get(campaign.declared.baseline_campaign_id)
        except NotFound:
            baseline = None
    return await read_courses(engine, campaign, baseline, goals, completeness)


def _row(campaign: KnownCampaign, reading: Reading, now_ms: int) -> dict[str, Any]:
    goal, course = reading.goal, reading.course
    found = pace(goal, course, now_ms)
    return {
        "metric": goal.metric,
        "scope": goal.scope.value,
        "phase": goal.phase or None,
        "channel": goal.channel or None,
        "from": campaign.local(goal.start_ms),
        "to": campaign.local(goal.end_ms),
        "state": found.state.value,
        "target": target_value(goal),
        "value": found.value,
        "attained": found.attained,
        "expected": found.expected,
        "expected_from": found.expected_from,
        "expected_per_minute": found.expected_per_minute,
        "ahead": found.ahead,
        "projected": found.projected,
        "projected_low": found.projected_low,
        "projected_high": found.projected_high,
        "rate_per_minute": found.rate_per_minute,
        "needed_per_minute": found.needed_per_minute,
        "behind": found.behind,
        "exhausted_at": None if found.exhausted_ms is None else campaign.local(found.exhausted_ms),
        "complete_until": None if reading.watermark_ms is None else campaign.local(course.until_ms),
    }


def target_value(goal: Goal) -> Value:
    """Money as an amount, a count as a whole number where it is one, a ratio as a number."""
    if METRICS[goal.metric].unit is Unit.MONEY:
        return goal.target
    whole = METRICS[goal.metric].unit is Unit.COUNT and goal.target == goal.target.to_integral_value()
    return int(goal.target) if whole else float(goal.target)
