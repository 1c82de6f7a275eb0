"""Alerts, silences and rules in answers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from schemas.alerts import AlertState, Impact, Rule, Severity
from schemas.http.shapes.base import Listing, Moment


class FeedAlert(BaseModel):
    """An alert as the stream tells it. `mute` says why nobody is told of it; empty when people are."""

    id: str
    rule: str
    severity: Severity
    state: AlertState
    campaign_id: str
    labels: dict[str, str]
    value: float
    threshold: float
    summary: str
    runbook: str
    starts_at: Moment
    ends_at: Moment | None
    complete_until: Moment
    evidence: dict[str, Any]
    incident: str
    owner: str
    phase: str
    impact: Impact | None
    annotations: dict[str, str]
    mute: str
    acknowledged_by: str | None
    acknowledged_at: Moment | None


class RulesFile(BaseModel):
    """How the rules file stands: whether it could be read when it was last tried."""

    source: str
    successful: bool
    loaded_at: Moment
    tried_at: Moment
    problems: list[str]


class RuleList(Listing[Rule]):
    """The rules in force."""

    file: RulesFile
