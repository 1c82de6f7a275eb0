"""The rules in force as `GET /api/v1/rules` tells them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.alerts import Rule as RuleAnswer
from services.alerts.alert import Alert
from services.alerts.lifecycle import State
from services.alerts.rules.book import Standing
from services.alerts.rules.document import Place
from services.alerts.rules.model import GRAVEST_FIRST, Rule
from services.common.clock import to_datetime
from services.common.columns import Column, Type, time_text

_TYPES: Mapping[str, Type] = {
    "pending": Type.COUNT,
    "firing": Type.COUNT,
    "acknowledged": Type.COUNT,
    **dict.fromkeys(("for_seconds", "keep_firing_for_seconds", "window_seconds"), Type.RATIO),
    **dict.fromkeys(("parameters", "severities", "filter", "labels", "annotations", "runbooks"), Type.JSON),
}
COLUMNS = tuple(Column(name, _TYPES.get(name, Type.TEXT)) for name in RuleAnswer.model_fields)


def rule_rows(rules: Iterable[Rule], places: Mapping[str, Place], alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """A row a rule, in their order."""
    counts = Counter((alert.rule, alert.state) for alert in alerts)
    return [_row(rule, places.get(rule.name), counts) for rule in rules]


def standing_of(standing: Standing) -> dict[str, Any]:
    """How the file stands, in JSON."""
    return {
        "source": standing.source,
        "successful": standing.successful,
        "loaded_at": time_text(to_datetime(standing.loaded_at)),
        "tried_at": time_text(to_datetime(standing.tried_at)),
        "problems": list(standing.problems),
    }


def _row(rule: Rule, place: Place | None, counts: Counter[tuple[str, State]]) -> dict[str, Any]:
    pending, firing, acknowledged = (
        counts[rule.name, state] for state in (State.PENDING, State.FIRING, State.ACKNOWLEDGED)
    )
    default = rule.severity.default
    takes_metric = rule.metric is not None
    possible = {default, *rule.severity.phases.values()}
    runbooks = {
        severity: rule.runbook.at(severity, rule.owner).model_dump()
        for severity in GRAVEST_FIRST
        if severity in possible
    }
    worst = rule.runbook.at(rule.severity.worst, rule.owner)
    return {
        "name": rule.name,
        "detector": rule.detector,
        "severity": rule.severity.worst if default == "none" else default,
        "state": "firing" if firing + acknowledged else "pending" if pending else "inactive",
        "pending": pending,
        "firing": firing,
        "acknowledged": acknowledged,
        "for_seconds": rule.for_ms / 1000,
        "keep_firing_for_seconds": rule.keep_ms / 1000,
        "summary": rule.summary.en,
        "runbook": worst.en,
        "parameters": rule.parameters,
        "summary_zh": rule.summary.zh,
        "runbook_zh": worst.zh,
        "severities": rule.severity.model_dump(),
        "owner": rule.owner,
        "metric": rule.metric,
        "filter": dict(rule.filter),
        "by": rule.by,
        "window_seconds": rule.window_ms / 1000 if takes_metric else None,
        "condition": rule.condition,
        "labels": dict(rule.labels),
        "annotations": {name: text.model_dump() for name, text in rule.annotations.items()},
        "runbooks": runbooks,
        "source": "" if place is None else f"{place.source}:{place.line}",
    }
