"""`baseline`: a metric is far from what it was at the same minute of the campaign's baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import Field

from schemas.metrics import Value
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, End, Reading
from services.alerts.scene import CampaignScene
from services.alerts.selection import Condition, Selection
from services.common.clock import MINUTE_MS, floor_minute


class BaselineParameters(Parameters):
    """The rule's condition is on the metric as a share of the baseline's: `< 0.5` is less than half of it."""

    count: str | None = Field(None, description="metric that says over how many the baseline is taken")
    min_count: int = Field(1, ge=1, description="least value of `count` in the baseline's window")
    margin: float = Field(0.1, ge=0, lt=1, description="share of the bound by which the value must recover to end it")


class Baseline(CampaignDetector[BaselineParameters]):
    """The same distance from the start of either campaign is the same minute. Below a bound it is judged on minutes
    that are complete. Without a baseline nothing is judged."""

    parameters_type = BaselineParameters
    takes_metric = True
    takes_condition = True
    facts = frozenset({"metric", "window_minutes", "now", "then", "percent"})

    def __init__(self, parameters: BaselineParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        assert selection is not None
        assert selection.condition is not None
        self._metric, self._by = selection.metric, selection.by
        self._condition: Condition = selection.condition
        count = (parameters.count,) if parameters.count is not None else ()
        end: End = "now" if self._condition.above else "complete"
        self._ask = Ask((selection.metric, *count), selection.window_ms, selection.by, selection.filters, end)

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        if plan is None or plan.baseline_start_ms is None or plan.baseline_campaign_id is None:
            return
        yield self._ask
        if self._condition.above:
            yield self._then(plan, floor_minute(now) + MINUTE_MS)
            return
        # Which minute the watermark will cover is not known yet: the last one or the one before.
        yield self._then(plan, floor_minute(now))
        yield self._then(plan, floor_minute(now) - MINUTE_MS)

    def judge(self, scene: CampaignScene) -> Verdicts:
        plan = scene.plan
        if plan is None or plan.baseline_start_ms is None or plan.baseline_campaign_id is None:
            return []
        reading = scene.readings.get(self._ask)
        then = None if reading is None else scene.readings.get(self._then(plan, reading.end_ms))
        # A campaign of which nothing comes any more is silent, and not at zero.
        if reading is None or then is None or not (self._condition.above or scene.live()):
            return None
        verdicts = []
        for value, row in then.rows.items():
            verdict = self._judge(value, reading, row)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _judge(self, value: str, reading: Reading, then: Mapping[str, Value]) -> Verdict | None:
        p = self.parameters
        before = then[self._metric]
        if p.count is not None and (then[p.count] or 0) < p.min_count:
            return None
        now = reading.rows.get(value, {}).get(self._metric, 0 if self._counts(before) else None)
        if before is None or now is None or before <= 0:
            return None
        share = float(now) / float(before)
        bound = float(self._condition.bound)
        slack = p.margin * abs(bound)
        if self._condition.holds(share):
            sighting = Sighting.BREACH
        elif share > bound - slack if self._condition.above else share < bound + slack:
            sighting = Sighting.HOLDS
        else:
            return None
        return Verdict(
            sighting,
            value=round(share, 4),
            threshold=bound,
            labels={} if self._by is None else {self._by: value},
            facts={
                "metric": self._metric,
                "window_minutes": (reading.end_ms - reading.start_ms) // MINUTE_MS,
                "now": str(now),
                "then": str(before),
                "percent": round(100 * share),
            },
            evidence={
                "unit": f"{self._metric} as a share of the baseline's",
                "condition": f"{self._condition.comparison} {self._condition.bound}",
                "from": reading.start_ms // 1000,
                "to": reading.end_ms // 1000,
                "now": str(now),
                "then": str(before),
            },
        )

    @staticmethod
    def _counts(before: Value) -> bool:
        """No events at all are zero of a sum, and no value of a ratio."""
        return not isinstance(before, float)

    def _then(self, plan: Plan, until_ms: int) -> Ask:
        assert plan.baseline_start_ms is not None
        until = until_ms + plan.baseline_start_ms - floor_minute(plan.start_ms)
        return replace(
            self._ask,
            end="complete",
            since_ms=until - self._ask.window_ms,
            until_ms=until,
            campaign_id=plan.baseline_campaign_id,
        )
