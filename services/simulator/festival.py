"""The course of a festival: phases, how busy each moment is, and the campaign that the API is told of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from services.common.clock import to_datetime
from services.simulator.timeline import Campaign, money
from services.simulator.world import CHANNELS, CLICKS_PER_VISIT, COST_PER_CLICK_CENTS

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
_RAMP_MS = 15 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the festival, half-open; `level` is how busy it is against the average."""

    name: str
    start_ms: int
    end_ms: int
    level: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A festival from `start_ms` to `end_ms`: warm-up, burst with peaks on the hour, long tail."""

    start_ms: int
    end_ms: int
    phases: tuple[Phase, ...]

    @property
    def peaks(self) -> range:
        """The full hours of the burst."""
        burst = next(phase for phase in self.phases if phase.name == "burst")
        return range(-(-burst.start_ms // HOUR_MS) * HOUR_MS, burst.end_ms, HOUR_MS)

    def intensity(self, at_ms: int) -> float:
        """How busy a moment is; 1 is the average. Never changes by more than a few per cent in ten seconds."""
        level = self.phases[-1].level
        for before, phase in zip((self.phases[0], *self.phases), self.phases, strict=False):
            if at_ms < phase.end_ms:
                # A phase takes over by and by, as people come in.
                into = min(1.0, max(0.0, (at_ms - phase.start_ms) / _RAMP_MS))
                level = before.level + (phase.level - before.level) * (1 - math.cos(math.pi * into)) / 2
                break
        since_hour = at_ms % HOUR_MS
        away = since_hour if since_hour <= HOUR_MS // 2 else since_hour - HOUR_MS
        # Up over some six minutes, down over a quarter of an hour.
        width = 3 * MINUTE_MS if away < 0 else 7 * MINUTE_MS
        return level * (1 + 0.5 * math.exp(-((away / width) ** 2)))


def festival_plan(start_ms: int, hours: int = 12) -> Plan:
    """Phases of a festival that starts then: an eighth of it warm-up, a half burst, the rest long tail."""
    end = start_ms + hours * HOUR_MS
    burst = start_ms + hours * HOUR_MS // 8
    tail = burst + hours * HOUR_MS // 2
    return Plan(
        start_ms,
        end,
        (
            Phase("warm_up", start_ms, burst, 0.9),
            Phase("burst", burst, tail, 1.0),
            Phase("long_tail", tail, end, 0.85),
        ),
    )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an average second brings: visits, orders, and their worth in hundredths."""

    visits_per_second: float
    orders_per_second: float
    order_cents: float


_ATTAINABLE = 0.8
"""Targets lie below what is expected, so that a festival without an incident is on course all along."""


def campaign_body(campaign_id: str, name: str, plan: Plan, expected: Expectation) -> Campaign:
    """The campaign as the API takes it; targets and budgets follow from what the festival will bring."""

    def seconds(phase: Phase) -> float:
        return (phase.end_ms - phase.start_ms) / 1000

    def target(weighted_seconds: float) -> dict[str, Any]:
        orders = expected.orders_per_second * weighted_seconds * _ATTAINABLE
        return {
            "gmv": money(round(orders * expected.order_cents) // 100_000 * 100_000),
            "orders_paid": round(orders * 0.9),
            "uv": round(expected.visits_per_second * weighted_seconds * 0.4),
        }

    weights = {phase.name: seconds(phase) * phase.level for phase in plan.phases}
    budgets = {
        channel: money(
            round(
                sum(weights.values())
                * expected.visits_per_second
                * share
                * CLICKS_PER_VISIT[channel]
                * COST_PER_CLICK_CENTS[channel]
                * 1.5
            )
        )
        for channel, share in CHANNELS.items()
    }
    return Campaign(
        campaign_id,
        {
            "name": name,
            "start": rfc3339(plan.start_ms),
            "end": rfc3339(plan.end_ms),
            "timezone": "Asia/Shanghai",
            "gross_margin": "0.35",
            "phases": [
                {"name": phase.name, "start": rfc3339(phase.start_ms), "end": rfc3339(phase.end_ms)}
                for phase in plan.phases
            ],
            "targets": {
                "total": target(sum(weights.values())),
                "phases": {phase.name: target(weights[phase.name]) for phase in plan.phases},
            },
            "budgets": budgets,
            "baseline_campaign_id": None,
            "calendar": [{"name": "Hourly peak", "start": rfc3339(at_ms)} for at_ms in plan.peaks],
            "note": "全部数据均为模拟生成。All data are simulated by `warroom simulate`.",
        },
    )


def rfc3339(at_ms: int) -> str:
    """A moment in UTC, as the API writes and reads it."""
    return to_datetime(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
