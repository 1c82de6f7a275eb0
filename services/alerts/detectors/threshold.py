"""`threshold`: a metric of the catalogue lies beyond a bound, for the campaign or for one value of a dimension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pydantic import Field

from schemas.metrics import Value
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, End, Reading
from services.alerts.scene import CampaignScene
from services.alerts.selection import Condition, Selection


class ThresholdParameters(Parameters):
    """`min_count` keeps a ratio of a handful of events from deciding anything."""

    count: str | None = Field(None, description="metric that says over how many a ratio is taken, e.g. orders_created")
    min_count: int = Field(1, ge=1, description="least value of `count` in the window")
    margin: float = Field(0.0, ge=0, lt=1, description="share of the bound by which the value must recover to end it")


class Threshold(CampaignDetector[ThresholdParameters]):
    """Above a bound it is judged on what has arrived, below one only on minutes that are complete.

    A value of the dimension that has no event in the window is not judged: that is for `data_silence` and
    `traffic_drop`.
    """

    parameters_type = ThresholdParameters
    takes_metric = True
    takes_condition = True
    facts = frozenset({"metric", "window_minutes"})

    def __init__(self, parameters: ThresholdParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        assert selection is not None
        assert selection.condition is not None
        self._metric = selection.metric
        self._condition: Condition = selection.condition
        self._by = selection.by
        metrics = (selection.metric,) if parameters.count is None else (selection.metric, parameters.count)
        end: End = "now" if self._condition.above else "complete"
        self._ask = Ask(metrics, selection.window_ms, selection.by, selection.filters, end)
        bound = self._condition.bound
        slack = abs(bound) * Decimal(str(parameters.margin))
        self._recovered = Condition(
            self._condition.comparison, bound - slack if self._condition.above else bound + slack
        )

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        return (self._ask,)

    def judge(self, scene: CampaignScene) -> Verdicts:
        reading = scene.readings.get(self._ask)
        # A campaign of which nothing comes any more is silent, and not at zero.
        if reading is None or not (self._condition.above or scene.live()):
            return None
        verdicts = []
        for value, row in reading.rows.items():
            measured = row[self._metric]
            if measured is None or not self._recovered.holds(measured) or not self._enough(row):
                continue
            breach = self._condition.holds(measured)
            verdicts.append(self._verdict(value, measured, Sighting.BREACH if breach else Sighting.HOLDS, reading))
        return verdicts

    def _enough(self, row: Mapping[str, Value]) -> bool:
        if self.parameters.count is None:
            return True
        number = row[self.parameters.count]
        return number is not None and bool(number >= self.parameters.min_count)

    def _verdict(self, value: str, measured: int | float | Decimal, sighting: Sighting, reading: Reading) -> Verdict:
        return Verdict(
            sighting,
            value=float(measured),
            threshold=float(self._condition.bound),
            labels={} if self._by is None else {self._by: value},
            facts={"metric": self._metric, "window_minutes": (reading.end_ms - reading.start_ms) // 60_000},
            evidence={
                "unit": self._metric,
                "condition": f"{self._condition.comparison} {self._condition.bound}",
                "from": reading.start_ms // 1000,
                "to": reading.end_ms // 1000,
                "values": {name: str(number) for name, number in reading.rows[value].items()},
            },
        )
