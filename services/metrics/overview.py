"""All metrics of a campaign at a glance, against its targets and its baseline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from schemas.metrics import METRICS, Unit, Value
from services.common.query.completeness import Completeness, kinds_behind
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.tabular import json_value, time_text
from services.metrics.baselines.choice import Baseline
from services.metrics.baselines.comparison import difference, ratio
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
    baseline: Baseline | None,
    question: Question,
    completeness: Completeness,
) -> dict[str, Any]:
    """The body of `GET /api/v1/campaigns/{id}/overview`."""
    then = None if baseline is None else baseline.question(question, completeness.as_of_ms)
    values, compared, phases = await asyncio.gather(
        metrics_of(engine, campaign, question),
        _compared(engine, baseline, then),
        _by_phase(engine, campaign, question),
    )
    return {
        "campaign_id": campaign.campaign_id,
        "from": time_text(campaign.local(question.start_ms)),
        "to": time_text(campaign.local(question.end_ms)),
        **completeness.fields(question.end_ms, kinds_behind(METRICS, question.dimensions)),
        "metrics": json_metrics(values),
        "targets": _targets(campaign, values, phases),
        "baseline": None
        if baseline is None or then is None
        else {
            "kind": baseline.kind,
            "campaign_id": baseline.campaign.campaign_id,
            "from": time_text(baseline.campaign.local(then.start_ms)),
            "to": time_text(baseline.campaign.local(then.end_ms)),
            "metrics": json_metrics(compared),
            "difference": json_metrics({name: difference(value, compared[name]) for name, value in values.items()}),
            "ratio": {name: ratio(value, compared[name]) for name, value in values.items()},
        },
    }


async def _compared(engine: QueryEngine, baseline: Baseline | None, then: Question | None) -> dict[str, Value]:
    if baseline is None or then is None:
        return {}
    return await metrics_of(engine, baseline.campaign, then)


async def _by_phase(engine: QueryEngine, campaign: KnownCampaign, question: Question) -> dict[str, Any]:
    if campaign.declared is None or not campaign.declared.targets.phases:
        return {}
    phases = campaign.declared.targets.phases
    wanted = sorted({metric for goals in phases.values() for metric in goals})
    answer = await engine.metrics(replace(question, group_by="phase"), wanted, gross_margin(campaign))
    found: dict[str, Any] = {}
    for phase, goals in phases.items():
        reached = answer.rows.get((0, phase), answer.empty)
        found[phase] = {metric: _attained(metric, goal, reached[metric]) for metric, goal in goals.items()}
    return found


def _targets(campaign: KnownCampaign, values: Mapping[str, Value], phases: Mapping[str, Any]) -> dict[str, Any] | None:
    if campaign.declared is None:
        return None
    targets = campaign.declared.targets
    if not targets.total and not targets.phases:
        return None
    total = {metric: _attained(metric, goal, values[metric]) for metric, goal in targets.total.items()}
    return {"total": total, "phases": phases}


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
