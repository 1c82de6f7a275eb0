"""`burn`: a channel spends its budget much faster than the campaign can last, or has spent it.

Two windows must agree, as in burn-rate alerts on error budgets (Google, "The Site Reliability Workbook", 2018,
chapter 5): a long one so that a moment of much spend is nothing, a short one so that it ends soon. Where spend is
reported minute by minute, a rate that is many times the channel's own of the hour before is told without the long one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.levels import YOUNG_SECONDS, Moment
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve
from services.alerts.scene import CampaignScene
from services.common.clock import MINUTE_MS

_MINUTES = 60
_CURVE = Curve(("ad_cost",), MINUTE_MS, _MINUTES * MINUTE_MS, by="channel", end="now")
_QUICK = 2
_BLOCK = 5
_STEADY = 0.8
"""Share of minutes with spend from which on it counts as reported by the minute."""

_AT_THE_END = 0.05


class BurnParameters(Parameters):
    """Burn is what will have been spent by the end at the present rate, over what is left: 1 spends all of it."""

    short_minutes: int = Field(5, ge=2, le=30)
    long_minutes: int = Field(30, ge=5, le=60)
    burn: float = Field(2.0, gt=1, description="burn in both windows that begins an alert")
    horizon_minutes: int = Field(180, ge=1, description="time within which the budget must be gone at the long rate")
    surge: float = Field(4.0, gt=1, description="times the rate of the hour before that begin one at once")
    resolve_share: float = Field(0.6, gt=0, lt=1, description="share of these bounds below which it ends")


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel's money, in the reporting currency; rates are a minute, burns as `BurnParameters` says."""

    name: str
    budget: float
    spent: float
    minutes_left: float
    minutes: npt.NDArray[np.float64]
    """Spend by minute of the hour; the last is the present one."""
    into_minute: float
    """Share of the present minute that has passed."""

    def rate(self, minutes: int) -> float:
        return float(self.minutes[-minutes:].sum()) / (minutes - 1 + self.into_minute)

    def burn(self, rate: float) -> float:
        left = self.budget - self.spent
        return rate * self.minutes_left / left if left > 0 else float("inf")

    @property
    def usual(self) -> float | None:
        """The rate of the hour before, robust against half of it; None where spend does not come by the minute."""
        before = self.minutes[: -_BLOCK - 1]
        since = np.flatnonzero(before)
        if not len(since) or len(before) - since[0] < 15:
            return None
        known = before[since[0] :]
        if np.count_nonzero(known) < _STEADY * len(known):
            return None
        blocks = known[len(known) % _BLOCK :].reshape(-1, _BLOCK).mean(axis=1)
        return float(np.median(blocks)) or None

    @property
    def surge(self) -> float:
        """The rate of the last minutes over the usual one; 0 where there is none."""
        usual = self.usual
        return 0.0 if usual is None else self.rate(_QUICK) / usual


class Burn(CampaignDetector[BurnParameters]):
    """Above a bound: judged on what has arrived."""

    parameters_type = BurnParameters
    facts = frozenset({"percent", "spent", "budget", "rate", "planned_rate", "outlook", "outlook_zh"})

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        return (self._spent(plan), _CURVE) if plan is not None and plan.budgets else ()

    def judge(self, scene: CampaignScene) -> Verdicts:
        plan = scene.plan
        if plan is None or not plan.budgets:
            return []
        spent, curve = scene.readings.get(self._spent(plan)), scene.curves.get(_CURVE)
        if spent is None or curve is None or scene.writing_history:
            return None
        channels = []
        for name, budget in plan.budgets.items():
            row = curve.rows.get(name)
            channels.append(
                _Channel(
                    name,
                    float(budget),
                    float(spent.rows.get(name, {}).get("ad_cost") or 0),
                    max(0.0, (plan.end_ms - scene.now) / MINUTE_MS),
                    np.array([float(cost or 0) for cost in row["ad_cost"]]) if row else np.zeros(_MINUTES),
                    max(1, scene.now % MINUTE_MS) / MINUTE_MS,
                )
            )
        verdicts = []
        for channel in channels:
            sighting = self._sighting(scene, channel, channels)
            if sighting is not Sighting.CLEAR:
                verdicts.append(self._verdict(scene, channel, sighting))
        return verdicts

    def _sighting(self, scene: CampaignScene, channel: _Channel, channels: list[_Channel]) -> Sighting:
        p = self.parameters
        if channel.budget > 0 and channel.spent >= channel.budget:
            # Used up and paused is as it should be, and used up as the end comes is no news.
            assert scene.plan is not None
            length = (scene.plan.end_ms - scene.plan.start_ms) / MINUTE_MS
            if channel.rate(p.long_minutes) <= 0:
                return Sighting.CLEAR
            return Sighting.BREACH if channel.minutes_left > _AT_THE_END * length else Sighting.HOLDS
        short, long = channel.rate(p.short_minutes), channel.rate(p.long_minutes)
        least = min(channel.burn(short), channel.burn(long))
        soon = long > 0 and (channel.budget - channel.spent) / long <= p.horizon_minutes
        surge = channel.surge / self._planned(scene, channel, channels)
        if (least >= p.burn and soon) or (surge >= p.surge and channel.burn(channel.rate(_QUICK)) >= 1):
            return Sighting.BREACH
        if least >= p.resolve_share * p.burn and channel.burn(short) >= p.burn * p.resolve_share and soon:
            return Sighting.HOLDS
        return Sighting.HOLDS if surge >= p.resolve_share * p.surge else Sighting.CLEAR

    @staticmethod
    def _planned(scene: CampaignScene, channel: _Channel, channels: list[_Channel]) -> float:
        """How many times the usual everybody else spends, for some minutes after the plan has changed; else 1."""
        changed = Moment.of(scene.plan, scene.now // 1000).changed
        if changed is None or scene.now // 1000 - changed >= YOUNG_SECONDS:
            return 1.0
        others = [other.surge for other in channels if other is not channel and other.usual is not None]
        return max(1.0, float(np.median(others))) if others else 1.0

    def _verdict(self, scene: CampaignScene, channel: _Channel, sighting: Sighting) -> Verdict:
        rate = channel.rate(_QUICK) if channel.surge else channel.rate(self.parameters.short_minutes)
        planned = max(0.0, channel.budget - channel.spent) / channel.minutes_left if channel.minutes_left else 0.0
        over = channel.spent >= channel.budget
        gone = 0.0 if over else (channel.budget - channel.spent) / rate if rate else channel.minutes_left
        early = max(0.0, channel.minutes_left - gone)
        start = scene.now // MINUTE_MS * 60 - (_MINUTES - 1) * 60
        return Verdict(
            sighting,
            value=round(channel.spent / channel.budget, 4) if channel.budget else 0.0,
            threshold=1.0,
            labels={"channel": channel.name},
            facts={
                "percent": round(100 * channel.spent / channel.budget) if channel.budget else 100,
                "spent": f"{channel.spent:,.0f}",
                "budget": f"{channel.budget:,.0f}",
                "rate": f"{rate:,.2f}",
                "planned_rate": f"{planned:,.2f}",
                "outlook": "the budget is used up"
                if over
                else f"it is gone in {gone:,.0f} min, {early / 60:,.1f} h before the end",
                "outlook_zh": "预算已用尽" if over else f"{gone:,.0f} 分钟后用尽，比活动结束早 {early / 60:,.1f} 小时",
            },
            evidence={
                "unit": "spend per minute",
                "spent": round(channel.spent, 2),
                "budget": channel.budget,
                "burn_short": _told(channel.burn(channel.rate(self.parameters.short_minutes))),
                "burn_long": _told(channel.burn(channel.rate(self.parameters.long_minutes))),
                "surge": round(channel.surge, 2),
                "reference": round(planned, 2),
                "points": [[start + 60 * n, round(float(cost), 2)] for n, cost in enumerate(channel.minutes)],
            },
            impact=Impact(
                Decimal(str(round(max(0.0, rate - planned), 2))),
                "spent beyond what the budget allows a minute",
                "每分钟超出预算的花费",
            ),
        )

    @staticmethod
    def _spent(plan: Plan | None) -> Ask:
        assert plan is not None
        return Ask(("ad_cost",), by="channel", since_ms=plan.start_ms)


def _told(burn: float) -> float | None:
    return round(burn, 2) if burn != float("inf") else None
