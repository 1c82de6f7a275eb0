"""`pace`: at the present pace a target of the campaign, or of its phase, will be missed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import Field

from schemas.metrics import METRICS, Unit
from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.goals import Goal, goals_at, planned_share
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, Reading
from services.alerts.scene import CampaignScene
from services.common.clock import MINUTE_MS, floor_minute
from services.common.statistics import poisson_interval

_LIVE_MS = 120_000
_SLOWLY_MS = 30 * MINUTE_MS
"""As a window it makes the reader ask again every half minute."""
_UNREAD = "unread"
_EVENLY_MS = 8 * 60 * MINUTE_MS
_MOST = 0.75

Sum = Literal["gmv", "paid_gmv", "net_sales", "orders_created", "orders_paid", "pv", "new_buyers", "buyers"]
"""Metrics of which a share is due by a share of the time; of distinct people only a baseline can say how many."""


class PaceParameters(Parameters):
    """The target is projected to be attained by less than `bound`, even if chance kept orders away so far."""

    metric: Sum = Field("gmv", description="the metric with a target")
    bound: float = Field(0.8, gt=0, le=1, description="projected share of the target below which an alert begins")
    resolve_bound: float = Field(0.85, gt=0, le=1, description="projected share from which it ends")
    allowance_minutes: int = Field(20, ge=0, description="time of a goal before which it is not judged")
    min_share: float = Field(0.03, ge=0, lt=1, description="share of the target that must be due")
    min_orders: int = Field(20, ge=1, description="orders that must have been made")
    confidence: float = Field(0.9, gt=0, lt=1, description="of the interval of the orders' number")


class Pace(CampaignDetector[PaceParameters]):
    """Judged at the watermark: what is still on its way is not missing."""

    parameters_type = PaceParameters
    facts = frozenset({"percent", "attained", "expected", "target", "goal", "goal_zh", "expected_from"})

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        if plan is None:
            return
        metric = self.parameters.metric
        for goal in goals_at(plan, metric, now):
            yield self._attained(goal)
            if plan.baseline_start_ms is not None and plan.baseline_campaign_id is not None:
                distance = plan.baseline_start_ms - floor_minute(plan.start_ms)
                yield self._baseline(plan, goal, goal.end_ms + distance)
                # Which minute the watermark will cover is not known yet: the last one or the one before.
                for minute in (floor_minute(now), floor_minute(now) - MINUTE_MS):
                    if minute > goal.start_ms:
                        yield self._baseline(plan, goal, minute + distance)
        yield self._curve()

    def judge(self, scene: CampaignScene) -> Verdicts:
        plan = scene.plan
        if plan is None:
            return []
        if scene.writing_history or not scene.live(_LIVE_MS):
            return None
        verdicts = []
        for goal in goals_at(plan, self.parameters.metric, scene.now):
            reading = scene.readings.get(self._attained(goal))
            if reading is None:
                return None
            share, source = self._share(scene, plan, goal, reading)
            if source == _UNREAD:
                return None
            verdict = self._judge(scene, plan, goal, reading, share, source)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _judge(
        self, scene: CampaignScene, plan: Plan, goal: Goal, reading: Reading, share: float | None, source: str
    ) -> Verdict | None:
        p = self.parameters
        row = reading.rows.get("", {})
        attained, orders = float(row.get(p.metric) or 0), int(row.get(self._count) or 0)
        minutes = (reading.end_ms - goal.start_ms) / MINUTE_MS
        if share is None or share < max(p.min_share, 1e-9) or minutes < p.allowance_minutes or orders < p.min_orders:
            return None
        projected = attained / share / goal.target
        at_best = projected * poisson_interval(orders, p.confidence).high / orders
        if projected >= p.resolve_bound:
            return None
        expected = share * goal.target
        missing = Decimal(str(round((expected - attained) / minutes, 2)))
        # A day has its nights: that a day's target comes evenly is a guess until most of the day has passed.
        guessed = source == "time" and goal.end_ms - goal.start_ms > _EVENLY_MS and share < _MOST
        money = METRICS[p.metric].unit is Unit.MONEY
        return Verdict(
            Sighting.BREACH if at_best < p.bound and not guessed else Sighting.HOLDS,
            value=round(projected, 4),
            threshold=p.bound,
            labels={"phase": goal.phase} if goal.phase else {},
            facts={
                "percent": round(100 * projected),
                "attained": f"{attained:,.0f}",
                "expected": f"{expected:,.0f}",
                "target": f"{goal.target:,.0f}",
                "goal": f"phase {goal.phase}" if goal.phase else "the campaign",
                "goal_zh": f"阶段 {goal.phase} " if goal.phase else "活动",
                "expected_from": source,
            },
            evidence={
                "unit": f"{p.metric} per minute",
                "attained": attained,
                "expected": round(expected, 2),
                "target": goal.target,
                "expected_from": source,
                "orders": orders,
                "projected_at_best": round(at_best, 4),
                "from": goal.start_ms // 1000,
                "to": reading.end_ms // 1000,
                "reference": round(expected / minutes, 2),
                "points": self._points(scene),
            },
            impact=Impact(
                missing,
                "behind what was due by now, spread over the time passed",
                "落后于此刻应达的部分，平摊到已过时间",
            )
            if money
            else None,
        )

    def _share(self, scene: CampaignScene, plan: Plan, goal: Goal, reading: Reading) -> tuple[float | None, str]:
        metric = self.parameters.metric
        if plan.baseline_start_ms is not None and plan.baseline_campaign_id is not None:
            distance = plan.baseline_start_ms - floor_minute(plan.start_ms)
            whole = scene.readings.get(self._baseline(plan, goal, goal.end_ms + distance))
            then = scene.readings.get(self._baseline(plan, goal, reading.end_ms + distance))
            if whole is None or then is None:
                return None, _UNREAD
            total = float(whole.rows.get("", {}).get(metric) or 0)
            # A baseline that is still going on has no total to take shares of.
            if total > 0 and whole.end_ms <= scene.now:
                return float(then.rows.get("", {}).get(metric) or 0) / total, "baseline"
        if metric in ("buyers", "new_buyers"):
            return None, ""
        return planned_share(plan, goal, metric, reading.end_ms)

    def _attained(self, goal: Goal) -> Ask:
        metrics = tuple(dict.fromkeys((self.parameters.metric, self._count)))
        return Ask(metrics, since_ms=goal.start_ms, end="complete")

    @property
    def _count(self) -> str:
        """The orders that the metric is made of, or would be."""
        return "orders_created" if self.parameters.metric in ("gmv", "orders_created", "pv") else "orders_paid"

    def _baseline(self, plan: Plan, goal: Goal, until_ms: int) -> Ask:
        assert plan.baseline_start_ms is not None
        start = goal.start_ms + plan.baseline_start_ms - floor_minute(plan.start_ms)
        return Ask(
            (self.parameters.metric,),
            window_ms=_SLOWLY_MS,
            since_ms=start,
            until_ms=until_ms,
            campaign_id=plan.baseline_campaign_id,
        )

    def _curve(self) -> Curve:
        return Curve((self.parameters.metric,), MINUTE_MS, 30 * MINUTE_MS)

    def _points(self, scene: CampaignScene) -> list[list[float]]:
        curve = scene.curves.get(self._curve())
        row = None if curve is None else curve.rows.get("")
        if curve is None or row is None:
            return []
        return [
            [(curve.start_ms + step * curve.step_ms) // 1000, float(value or 0)]
            for step, value in enumerate(row[self.parameters.metric])
        ]
