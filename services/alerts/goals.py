"""What a campaign and its present phase are to reach, and which share of it is due at a moment.

It agrees with the pacing table: by the baseline's share at the same distance from its start where there is one, else
evenly over time; but where phases have targets of their own, time within them counts as much as they are to bring,
so that a warm-up is not behind for being one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.plan import Plan, PlannedPhase
from services.common.clock import floor_minute


@dataclass(frozen=True, slots=True)
class Goal:
    """`target` of a metric within `[start_ms, end_ms)`, whole minutes; `phase` is empty for the whole campaign."""

    phase: str
    start_ms: int
    end_ms: int
    target: float


def goals_at(plan: Plan, metric: str, now: int) -> Iterator[Goal]:
    """The campaign's goal and that of its phase, where they have one and the moment lies within."""
    spans = [("", plan.start_ms, plan.end_ms, plan.targets)]
    phase = plan.phase_at(now)
    if phase is not None:
        spans.append((phase.name, phase.start_ms, phase.end_ms, phase.targets))
    for name, start, end, targets in spans:
        if start <= now < end and targets.get(metric, 0) > 0:
            yield Goal(name, floor_minute(start), floor_minute(end), float(targets[metric]))


def planned_share(plan: Plan, goal: Goal, metric: str, until_ms: int) -> tuple[float, str]:
    """Which share of the goal is due by then without a baseline, and what says so: `phases` or `time`."""
    weighed = [phase for phase in plan.phases if phase.targets.get(metric, 0) > 0]
    if goal.phase or len(weighed) < 2:
        return _passed(goal.start_ms, goal.end_ms, until_ms), "time"
    total = sum(float(phase.targets[metric]) for phase in weighed)
    due = sum(_due(phase, metric, until_ms) for phase in weighed)
    return due / total, "phases"


def _due(phase: PlannedPhase, metric: str, until_ms: int) -> float:
    return float(phase.targets[metric]) * _passed(phase.start_ms, phase.end_ms, until_ms)


def _passed(start_ms: int, end_ms: int, until_ms: int) -> float:
    return min(1.0, max(0.0, (until_ms - start_ms) / max(1, end_ms - start_ms)))
