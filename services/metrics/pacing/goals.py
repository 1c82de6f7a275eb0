"""What is to be reached, by when, and how far its time has come."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from schemas.campaigns import Campaign
from schemas.metrics import MEASURES, METRICS, Shape
from services.common.clock import floor_minute, to_ms
from services.common.query.question import PhaseSpan

SPENT = "ad_cost"
"""What budgets are spent on."""


class Scope(StrEnum):
    """What a goal is set for."""

    CAMPAIGN = "campaign"
    PHASE = "phase"
    BUDGET = "budget"
    """The spend of one channel over the campaign."""


class State(StrEnum):
    """Where the campaign's clock stands in the span of a goal."""

    UPCOMING = "upcoming"
    CURRENT = "current"
    ENDED = "ended"


class Nature(StrEnum):
    """What can be said of a metric before its time is over."""

    SUM = "sum"
    """Counts and money: parts of the span add up, so it can be paced and projected."""
    DISTINCT = "distinct"
    """Distinct people: the second half of a span brings fewer new ones, so no rate carries on to the end."""
    RATIO = "ratio"
    """Neither grows towards its target; what it is now is the best guess at its end."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`target` of a metric within `[start_ms, end_ms)`, whole minutes in epoch ms. `phase` and `channel` are empty
    where the scope has none."""

    metric: str
    scope: Scope
    phase: str
    channel: str
    start_ms: int
    end_ms: int
    target: Decimal

    @property
    def nature(self) -> Nature:
        """How its metric behaves over time."""
        metric = METRICS[self.metric]
        if metric.ratio is not None:
            return Nature.RATIO
        distinct = any(MEASURES[name].shape is Shape.DISTINCT for name in metric.measures)
        return Nature.DISTINCT if distinct else Nature.SUM

    def state(self, now_ms: int) -> State:
        """Switches by the clock alone, whatever events have come."""
        if now_ms < self.start_ms:
            return State.UPCOMING
        return State.CURRENT if now_ms < self.end_ms else State.ENDED

    def judged_until(self, until_ms: int) -> int:
        """The moment, in whole minutes within the span, up to which it can be judged when events are in up to
        `until_ms`."""
        return min(max(floor_minute(until_ms), self.start_ms), self.end_ms)


def goals_of(declared: Campaign, phases: tuple[PhaseSpan, ...]) -> list[Goal]:
    """The campaign's targets, those of its phases in the order of time, and its budgets; the metrics as declared.

    `phases` are the campaign's, in whole minutes.
    """
    start, end = floor_minute(to_ms(declared.start)), floor_minute(to_ms(declared.end))
    goals = [
        Goal(metric, Scope.CAMPAIGN, "", "", start, end, target) for metric, target in declared.targets.total.items()
    ]
    for phase in sorted(phases, key=lambda phase: phase.start_ms):
        goals += [
            Goal(metric, Scope.PHASE, phase.name, "", phase.start_ms, phase.end_ms, target)
            for metric, target in declared.targets.phases.get(phase.name, {}).items()
        ]
    goals += [Goal(SPENT, Scope.BUDGET, "", name, start, end, amount) for name, amount in declared.budgets.items()]
    return goals
