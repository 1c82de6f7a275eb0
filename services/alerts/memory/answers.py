"""Answers what detectors ask of a campaign from the running totals of its past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np

from schemas.metrics import DIMENSIONS as CARRIED
from schemas.metrics import MEASURES, Kind, Shape, Value, compute, measures_of
from services.alerts.memory.past import Past, Stream
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.panels import kinds_of
from services.alerts.readings.reader import end_of
from services.alerts.readings.seconds import SECONDS, Payments, Seconds, SecondsReading
from services.alerts.readings.sql import DIMENSIONS
from services.alerts.series import Counts
from services.common.clock import floor_minute

_UNKNOWN = "unknown"


class Answers:
    """Of one campaign. A step of the past counts when it is over at the moment of the question."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._payments: dict[Seconds, Mapping[str, Payments]] = {}
        # What is over does not change: until the next minute the answer is the same.
        self._readings: dict[Ask, Reading] = {}
        self._curves: dict[Curve, CurveReading] = {}
        self._by_kind: dict[tuple[Kind, str | None], list[Stream]] = {}
        for stream in past.streams:
            dimension = next(iter(stream.labels), "") if past.by_dimension else None
            self._by_kind.setdefault((stream.kind, dimension), []).append(stream)

    def knows(self, ask: Ask | Curve, now: int) -> bool:
        """Whether it can answer that at `now`: nothing from before its beginning, and with totals by dimension
        neither distinct users nor two dimensions at once."""
        if isinstance(ask, Ask) and ask.campaign_id not in (None, self._past.campaign_id):
            return False
        if not self._past.by_dimension:
            return True
        named = _named(ask)
        since = getattr(ask, "since_ms", None)
        if since is None:
            since = now - (ask.window_ms if isinstance(ask, Ask) else ask.length_ms)
        if len(named) > 1 or since < self._past.begin * 1000:
            return False
        dimension = next(iter(named), "")
        return all(
            MEASURES[name].shape is not Shape.DISTINCT
            and (
                dimension in DIMENSIONS[MEASURES[name].kind]
                or (dimension != "" and MEASURES[name].kind not in CARRIED[dimension])
            )
            for name in measures_of(ask.metrics)
        )

    def reading(self, ask: Ask, now: int, watermark: int) -> Reading:
        """The answer at `now`, epoch ms."""
        end_ms = end_of(ask, now, watermark)
        start_ms = end_ms - ask.window_ms if ask.since_ms is None else floor_minute(ask.since_ms)
        known = self._readings.get(ask)
        if known is not None and (known.start_ms, known.end_ms) == (start_ms, end_ms) and end_ms <= known.read_at:
            return replace(known, read_at=now)
        bounds = self._places(np.array([start_ms, end_ms]), now)
        rows = {
            value: self._metrics(ask, {name: int(sums[0]) for name, sums in measures.items()})
            for value, measures in self._grouped(ask, bounds).items()
        }
        self._readings[ask] = Reading(rows, start_ms, end_ms, now)
        return self._readings[ask]

    def curve(self, ask: Curve, now: int, watermark: int) -> CurveReading:
        """The answer at `now`, epoch ms."""
        end_ms = end_of(ask, now, watermark)
        steps = ask.length_ms // ask.step_ms
        start_ms = end_ms - steps * ask.step_ms
        known = self._curves.get(ask)
        if known is not None and known.end_ms == end_ms <= known.read_at:
            return replace(known, read_at=now)
        bounds = self._places(start_ms + np.arange(steps + 1) * ask.step_ms, now)
        rows: dict[str, dict[str, Sequence[Value]]] = {}
        for value, measures in self._grouped(ask, bounds).items():
            told = [
                self._metrics(ask, {name: int(sums[step]) for name, sums in measures.items()}) for step in range(steps)
            ]
            rows[value] = {name: [one[name] for one in told] for name in ask.metrics}
        self._curves[ask] = CurveReading(rows, start_ms, ask.step_ms, steps, now)
        return self._curves[ask]

    def seconds(self, ask: Seconds, now: int) -> SecondsReading:
        """Payments of the last two minutes at `now`; the second that has begun holds nothing yet."""
        past = self._past
        at = min(max(now // 1000 - past.begin, 0), past.length)
        known = past.payments.get(ask)
        if known is None:
            known = self._payments.get(ask)
        if known is None:
            known = self._payments[ask] = self._payments_of(ask)
        rows = {}
        for value, payments in known.items():
            failed, paid = (_last(counts, at) for counts in (payments.failed, payments.paid))
            if failed.any() or paid.any():
                rows[value] = Payments(failed, paid)
        return SecondsReading(rows, past.begin + at + 1 - SECONDS)

    def _payments_of(self, ask: Seconds) -> dict[str, Payments]:
        found: dict[str, Payments] = {}
        if self._past.step != 1:
            return found
        for stream in self._by_kind.get((Kind.ORDERS, None), ()):
            if any(stream.labels.get(name, _UNKNOWN) not in values for name, values in ask.filters):
                continue
            value = stream.labels.get(ask.by, _UNKNOWN) if ask.by else ""
            payments = found.setdefault(value, Payments(*(np.zeros(self._past.length, np.int64) for _ in range(2))))
            for counts, name in ((payments.failed, "payments_failed"), (payments.paid, "orders_paid")):
                if name in stream.totals:
                    np.add(counts, np.diff(stream.totals[name]), out=counts)
        return found

    def _places(self, moments_ms: Counts, now: int) -> Counts:
        past = self._past
        seconds = np.minimum(moments_ms // 1000, now // 1000)
        places: Counts = np.clip((seconds - past.begin) // past.step, 0, past.length // past.step)
        return places

    def _grouped(self, ask: Ask | Curve, bounds: Counts) -> dict[str, dict[str, Counts]]:
        """The sums between the bounds, by value of the grouping and measure; values without events are absent."""
        named = _named(ask)
        dimension = next(iter(named), "") if self._past.by_dimension else None
        table: dict[str, dict[str, Counts]] = {}
        for kind in kinds_of(ask):
            for stream in self._by_kind.get((kind, dimension), ()):
                if any(stream.labels.get(name, _UNKNOWN) not in values for name, values in ask.filters):
                    continue
                sums = {name: np.diff(total[bounds]) for name, total in stream.totals.items()}
                if not any(one.any() for one in sums.values()):
                    continue
                row = table.setdefault(stream.labels.get(ask.by, _UNKNOWN) if ask.by else "", {})
                for name, one in sums.items():
                    row[name] = row[name] + one if name in row else one
        return table

    def _metrics(self, ask: Ask | Curve, sums: Mapping[str, int]) -> dict[str, Value]:
        margin = Decimal(1) if self._past.plan is None else self._past.plan.gross_margin
        measures: dict[str, Value] = {
            name: None if shape is None else _value(shape, sums.get(name, 0)) for name, shape in _needed(ask)
        }
        return {name: compute(name, measures, margin) for name in ask.metrics}


@lru_cache(1024)
def _needed(ask: Ask | Curve) -> Sequence[tuple[str, Shape | None]]:
    """The measures behind a question; without a shape where their kind of event has no such dimension."""
    named = _named(ask)
    measures = ((name, MEASURES[name]) for name in measures_of(ask.metrics))
    return [
        (name, None if any(measure.kind not in CARRIED[dimension] for dimension in named) else measure.shape)
        for name, measure in measures
    ]


def _value(shape: Shape, total: int) -> Value:
    return Decimal(total).scaleb(-2) if shape is Shape.MONEY else total


def _last(counts: Counts, at: int) -> Counts:
    result = np.zeros(SECONDS, dtype=np.int64)
    known = counts[max(0, at + 1 - SECONDS) : at]
    result[SECONDS - 1 - len(known) : SECONDS - 1] = known
    return result


def _named(ask: Ask | Curve) -> frozenset[str]:
    return frozenset({name for name, _ in ask.filters} | ({ask.by} if ask.by else set()))
