"""A campaign in memory as sums by minute and channel, from which whatever a detector asks is answered.

It answers by adding up, minute by minute, and knows nothing of panels and rollups.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.metrics import DIMENSIONS, MEASURES, Shape, Value, compute, measures_of
from services.alerts.detectors.base import CampaignDetector, Verdict
from services.alerts.history import History, empty_series
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.scene import Activity, CampaignScene
from services.alerts.series import zeros
from services.common.clock import MINUTE_MS, floor_minute

BEGIN_MS = 1_900_000_800_000 // MINUTE_MS * MINUTE_MS
Amounts = npt.NDArray[np.float64]


class Book:
    """`measures[channel][measure]` by minute from `begin_ms` on; money in the reporting currency."""

    def __init__(self, measures: Mapping[str, Mapping[str, Amounts]], begin_ms: int = BEGIN_MS) -> None:
        self.measures = measures
        self.begin_ms = begin_ms

    def sums(
        self, start_ms: int, end_ms: int, by: str | None, filters: Mapping[str, tuple[str, ...]]
    ) -> dict[str, Any]:
        """Measures by value of the dimension over `[start_ms, end_ms)`."""
        first = max(0, (start_ms - self.begin_ms) // MINUTE_MS)
        last = max(first, (end_ms - self.begin_ms) // MINUTE_MS)
        rows: dict[str, dict[str, float]] = {}
        for channel, measures in self.measures.items():
            if channel in filters.get("channel", (channel,)):
                row = rows.setdefault(channel if by else "", {})
                for name, amounts in measures.items():
                    row[name] = row.get(name, 0.0) + float(amounts[first:last].sum())
        return {value: row for value, row in rows.items() if any(row.values())}

    def metrics(self, names: tuple[str, ...], row: Mapping[str, float], by: str | None) -> dict[str, Value]:
        """The metrics of a row of sums."""
        measures: dict[str, Value] = {}
        for name in measures_of(names):
            amount = row.get(name, 0.0)
            measure = MEASURES[name]
            if by and measure.kind not in DIMENSIONS[by]:
                measures[name] = None
            else:
                measures[name] = Decimal(str(round(amount, 2))) if measure.shape is Shape.MONEY else round(amount)
        return {name: compute(name, measures, Decimal(1)) for name in names}

    def scene(
        self,
        detector: CampaignDetector[Any],
        now: int,
        plan: Plan | None,
        *,
        others: Mapping[str, Book] | None = None,
        lag_ms: int = 1000,
        **more: Any,
    ) -> CampaignScene:
        """What the detector is shown at `now`; what happens later is not in it."""
        readings: dict[Ask, Reading] = {}
        curves: dict[Curve, CurveReading] = {}
        watermark = now - lag_ms
        for ask in detector.asks(now, plan):
            assert isinstance(ask, Ask | Curve)
            end = floor_minute(now) + MINUTE_MS if ask.end == "now" else floor_minute(min(now, watermark))
            if isinstance(ask, Ask):
                end = end if ask.until_ms is None else floor_minute(ask.until_ms)
                start = end - ask.window_ms if ask.since_ms is None else floor_minute(ask.since_ms)
                book = self if ask.campaign_id is None else (others or {})[ask.campaign_id]
                rows = book.sums(start, end, ask.by, dict(ask.filters))
                readings[ask] = Reading(
                    {value: self.metrics(ask.metrics, row, ask.by) for value, row in rows.items()}, start, end, now
                )
            else:
                steps = ask.length_ms // ask.step_ms
                start = end - steps * ask.step_ms
                told = [
                    self.sums(start + n * ask.step_ms, start + (n + 1) * ask.step_ms, ask.by, dict(ask.filters))
                    for n in range(steps)
                ]
                values = {value for row in told for value in row}
                computed = {
                    value: [self.metrics(ask.metrics, row.get(value, {}), ask.by) for row in told] for value in values
                }
                curves[ask] = CurveReading(
                    {v: {name: [row[name] for row in c] for name in ask.metrics} for v, c in computed.items()},
                    start,
                    ask.step_ms,
                    steps,
                    now,
                )
        return CampaignScene(
            campaign_id="book",
            now=now,
            watermark=watermark,
            activity={"orders": Activity(1, self.begin_ms, now - 500, now)},
            end=None,
            recent={},
            recent_all=zeros(now // 1000 - 180, 1, 180),
            recent_refunds={},
            history=History(empty_series(0), empty_series(0)),
            stock=more.pop("stock", {}),
            plan=plan,
            readings=readings,
            curves=curves,
            **more,
        )


def breaches(verdicts: list[Verdict] | None) -> list[dict[str, str]]:
    """The labels of what is in breach."""
    return [dict(verdict.labels) for verdict in verdicts or [] if verdict.sighting is Sighting.BREACH]
