"""Scorecards of rehearsals: what `warroom rehearse --out` writes and `GET /api/v1/rehearsals` tells."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from schemas.http.shapes.base import ABSENT, Moment


class Rehearsed(BaseModel):
    """What was rehearsed; the same seed is the same festival."""

    seed: int
    seeds: int
    hours: float
    variant: str
    events_per_second: float
    start: Moment
    step_seconds: float


class ScorecardTotals(BaseModel):
    """The figures that count; delays are of event time."""

    festivals: int
    events: int
    injected: int
    found: int
    found_share: float | None
    false_pages: int
    false_pages_per_festival: float
    delay_median_seconds: float | None
    delay_p90_seconds: float | None
    delay_max_seconds: float | None
    event_hours: float = ABSENT
    real_seconds: float
    times_real_speed: float
    festival_hours_per_hour: float
    steps: int


class RuleScore(BaseModel):
    """How one rule did."""

    injected: int
    found: int
    missed: int
    false: int
    accepted: int
    delay_median_seconds: float | None
    delay_p90_seconds: float | None
    delay_max_seconds: float | None


class KindScore(BaseModel):
    """How incidents of one kind did."""

    injected: int
    found: int


class Deliveries(BaseModel):
    """Notices at the receiver against the alerts' own book."""

    due: int
    received_once: int
    never_received: int
    received_again: int


class Injected(BaseModel):
    """An incident that was planted, or a decoy: what ought to be told, and when."""

    type: str
    rule: str
    campaign_id: str
    labels: dict[str, str]
    starts_at: Moment
    ends_at: Moment
    details: dict[str, Any]
    consequences: list[str]


class RehearsedPage(BaseModel):
    """What was told to people."""

    alert_id: str
    rule: str
    severity: str
    labels: dict[str, str]
    told_at: Moment
    summary: str


class FoundIncident(Injected):
    """An incident with the page that found it."""

    delay_seconds: float
    page: RehearsedPage


class MissedIncident(Injected):
    """An incident without a page."""

    note: str


class FalsePage(RehearsedPage):
    """A page without an incident, and what went on at that time."""

    why: str
    during: list[str]


class AcceptedPage(RehearsedPage):
    """A page of what an incident brings with it."""

    consequence_of: Injected


class Scorecard(BaseModel):
    """A rehearsal, marked."""

    path: str
    rehearsed: Rehearsed
    totals: ScorecardTotals
    rules: dict[str, RuleScore]
    kinds: dict[str, KindScore]
    deliveries: Deliveries
    found: list[FoundIncident]
    missed: list[MissedIncident]
    false: list[FalsePage]
    accepted: list[AcceptedPage]
    decoys: list[Injected]
    real_seconds_by_part: dict[str, float]


class RehearsalRow(BaseModel):
    """A scorecard in short. One that cannot be read has a `problem` and no figures."""

    name: str
    written_at: Moment
    start: Moment | None
    variant: str | None
    seed: int | None
    festivals: int | None
    hours: float | None
    events: int | None
    injected: int | None
    found: int | None
    found_share: float | None
    false_pages_per_festival: float | None
    delay_median_seconds: float | None
    delay_p90_seconds: float | None
    problem: str | None = Field(description="why there are no figures")
