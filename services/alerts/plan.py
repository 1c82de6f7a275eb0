"""What people have declared of a campaign, as far as rules need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from schemas.campaigns import Campaign
from services.common.clock import to_ms


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A named span `[start_ms, end_ms)`, in epoch milliseconds; `targets` by metric."""

    name: str
    start_ms: int
    end_ms: int
    targets: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign as it was PUT; times in epoch milliseconds, budgets by channel in the reporting currency.

    Phases are in the order of their start and do not overlap. `baseline_start_ms` is when the baseline began; None
    while that is not known.
    """

    start_ms: int
    end_ms: int
    phases: tuple[PlannedPhase, ...] = ()
    targets: Mapping[str, Decimal] = field(default_factory=dict)
    budgets: Mapping[str, Decimal] = field(default_factory=dict)
    gross_margin: Decimal = Decimal(1)
    baseline_campaign_id: str | None = None
    baseline_start_ms: int | None = None
    timezone: str = "Asia/Shanghai"

    def phase_at(self, moment_ms: int) -> PlannedPhase | None:
        """The phase that holds the moment, or None between phases."""
        return next((phase for phase in self.phases if phase.start_ms <= moment_ms < phase.end_ms), None)

    def phase_began(self, moment_ms: int) -> int | None:
        """When what is planned last changed at or before the moment: a phase began or ended, or the campaign began."""
        changes = [self.start_ms, *(edge for phase in self.phases for edge in (phase.start_ms, phase.end_ms))]
        return max((change for change in changes if change <= moment_ms), default=None)


def plan_of(campaign: Campaign) -> Plan:
    """The plan of a campaign's declaration."""
    return Plan(
        start_ms=to_ms(campaign.start),
        end_ms=to_ms(campaign.end),
        phases=tuple(
            sorted(
                (
                    PlannedPhase(
                        phase.name,
                        to_ms(phase.start),
                        to_ms(phase.end),
                        dict(campaign.targets.phases.get(phase.name, {})),
                    )
                    for phase in campaign.phases
                ),
                key=lambda phase: phase.start_ms,
            )
        ),
        targets=dict(campaign.targets.total),
        budgets=dict(campaign.budgets),
        gross_margin=campaign.gross_margin,
        baseline_campaign_id=campaign.baseline_campaign_id,
        timezone=campaign.timezone,
    )
