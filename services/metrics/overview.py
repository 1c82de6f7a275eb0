"""All metrics of a campaign at a glance, against its targets and its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from schemas.metrics import METRICS, Unit, Value
from services.common.clock import MINUTE_MS
from services.common.query.completeness import Completeness, kinds_behind
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.tabular import json_value, time_text
from services.metrics.campaigns import KnownCampaign
from services.metrics.tables import gross_margin, metric_type


def json_metrics(values: Mapping[str, Value]) -> dict[str, Any]:
    """Metrics by name as they stand in JSON."""
    return {name: json_value(metric_type(name), value) for name, value in values.items()}


async def metrics_of(engine: QueryEngine, campaign: KnownCampaign, question: Question) -> dict[str, Value]:
    """Every metric over the period as a whole."""
    answer = await engine.metrics(question, METRICS, gross_margin(campaign))
    return answer.rows.get((0, ""), answer.empty)


async def overview_answer(
    engine: QueryEngine,
    campaign: KnownCampaign,
    baseline: KnownCampaign | None,
    question: Question,
    completeness: Completeness,
) -> dict[str, Any]:
    """The body of `GET /api/v1/campaigns/{id}/overview`."""
    values = await metrics_of(engine, campaign, question)
    return {
        "campaign_id": campaign.campaign_id,
        "from": time_text(campaign.local(question.start_ms)),
        "to": time_text(campaign.local(question.end_ms)),
        **completeness.fields(question.end_ms, kinds_behind(METRICS, question.dimensions)),
        "metrics": json_metrics(values),
        "targets": await _targets(engine, campaign, question, values),
        "baseline": None
        if baseline is None
        else await _baseline(engine, campaign, baseline, question, completeness.as_of_ms),
    }


async def _targets(
    engine: QueryEngine, campaign: KnownCampaign, question: Question, values: Mapping[str, Value]
) -> dict[str, Any] | None:
    if campaign.declared is None:
        return None
    targets = campaign.declared.targets
    if not targets.total and not targets.phases:
        return None
    by_phase: dict[str, dict[str, Any]] = {}
    if targets.phases:
        wanted = sorted({metric for goals in targets.phases.values() for metric in goals})
        answer = await engine.metrics(replace(question, group_by="phase"), wanted, gross_margin(campaign))
        for phase, goals in targets.phases.items():
            reached = answer.rows.get((0, phase), answer.empty)
            by_phase[phase] = {metric: _attained(metric, goal, reached[metric]) for metric, goal in goals.items()}
    return {
        "total": {metric: _attained(metric, goal, values[metric]) for metric, goal in targets.total.items()},
        "phases": by_phase,
    }


def _attained(metric: str, goal: Decimal, value: Value) -> dict[str, Any]:
    """`attained` is the reached share of the target; None where there is no value or the target is zero."""
    target: Any = goal
    if METRICS[metric].unit is Unit.COUNT:
        target = int(goal) if goal == goal.to_integral_value() else float(goal)
    elif METRICS[metric].unit is not Unit.MONEY:
        target = float(goal)
    kind = metric_type(metric)
    return {
        "target": json_value(kind, target),
        "value": json_value(kind, value),
        "attained": None if value is None or goal == 0 else float(Decimal(value) / goal),
    }


async def _baseline(
    engine: QueryEngine, campaign: KnownCampaign, baseline: KnownCampaign, question: Question, now_ms: int
) -> dict[str, Any]:
    """The baseline at the same distance from its own start, its last minute no further than the campaign's clock."""
    shift = baseline.start_ms - campaign.start_ms
    end = min(question.end_ms, now_ms - now_ms % MINUTE_MS + MINUTE_MS)
    there = replace(
        question,
        campaign_id=baseline.campaign_id,
        start_ms=question.start_ms + shift,
        end_ms=max(question.start_ms, end) + shift,
        phases=baseline.phases,
    )
    values = await metrics_of(engine, baseline, there)
    return {
        "campaign_id": baseline.campaign_id,
        "from": time_text(baseline.local(there.start_ms)),
        "to": time_text(baseline.local(there.end_ms)),
        "metrics": json_metrics(values),
    }
