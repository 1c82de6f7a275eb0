"""All panels of all campaigns, and the answers that need nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from schemas.metrics import DIMENSIONS as CARRIED
from schemas.metrics import MEASURES, METRICS, Kind, Shape, Value, compute, measures_of
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.panel import Panel
from services.alerts.readings.sql import DIMENSIONS, MONEY, SUMS
from services.common.clock import MINUTE_MS

PANEL_MINUTES = 75
LONGEST_MS = 60 * MINUTE_MS
"""Windows beyond this are asked of the store."""

_SINGLE = frozenset({"channel", "region", "utm_source", "device_category", "customer_type"})
"""An event has one value of these, so that sums over several values are right."""


def panel_dimension(ask: Ask | Curve) -> str | None:
    """The one dimension whose panel answers it, '' being the whole; None when only the store can."""
    if isinstance(ask, Ask) and (ask.since_ms is not None or ask.campaign_id is not None or ask.until_ms is not None):
        return None
    span = ask.window_ms if isinstance(ask, Ask) else ask.length_ms
    named = {name for name, _ in ask.filters} | ({ask.by} if ask.by else set())
    if span > LONGEST_MS or len(named) > 1:
        return None
    dimension = next(iter(named), "")
    if ask.by is None and any(len(values) > 1 and name not in _SINGLE for name, values in ask.filters):
        return None
    needed = [MEASURES[name] for name in measures_of(ask.metrics)]
    for measure in needed:
        carried = not dimension or measure.kind in CARRIED[dimension]
        if measure.shape is Shape.DISTINCT or (carried and dimension not in DIMENSIONS[measure.kind]):
            return None
    return dimension


def kinds_of(ask: Ask | Curve) -> frozenset[Kind]:
    """The kinds of events behind it."""
    return _kinds(ask.metrics)


@lru_cache(maxsize=1000)
def _kinds(metrics: tuple[str, ...]) -> frozenset[Kind]:
    return frozenset(kind for name in metrics for kind in METRICS[name].kinds)


@lru_cache(maxsize=1000)
def _measures(metrics: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(measures_of(metrics)))


class Panels:
    """The panels by campaign, dimension and kind of event."""

    def __init__(self) -> None:
        self._panels: dict[tuple[str, str, Kind], Panel] = {}

    def covers(self, campaign_id: str, dimension: str, kind: Kind, since: int) -> bool:
        panel = self._panels.get((campaign_id, dimension, kind))
        return panel is not None and panel.covers(since)

    def replace(
        self,
        kind: Kind,
        campaigns: Iterable[str],
        dimensions: Iterable[str],
        since: int,
        until: int,
        rows: Iterable[Mapping[str, Any]],
    ) -> None:
        """Takes what `panel_rows` answered over the minutes [since, until) for all these campaigns and dimensions."""
        names = SUMS[kind]
        columns = [f"{name}_sum" for name in names]
        found: dict[tuple[str, str], list[tuple[str, int, Sequence[int]]]] = {
            (campaign, dimension): [] for campaign in campaigns for dimension in dimensions
        }
        for row in rows:
            found[row["campaign_id"], row["dimension"]].append(
                (row["value"], int(row["minute_number"]), [row[column] for column in columns])
            )
        for (campaign, dimension), told in found.items():
            key = (campaign, dimension, kind)
            panel = self._panels.get(key)
            # Made anew when all of it is read anew, it forgets values that no event has had for an hour.
            if panel is None or until - since >= PANEL_MINUTES:
                panel = self._panels[key] = Panel(PANEL_MINUTES, names)
            panel.replace(since, until, told)

    def forget(self, keep: Iterable[str]) -> None:
        """Drops campaigns that are no longer looked at."""
        kept = set(keep)
        self._panels = {key: panel for key, panel in self._panels.items() if key[0] in kept}

    def reading(self, campaign_id: str, ask: Ask, end_ms: int, margin: Decimal, read_at: int) -> Reading:
        """The answer over the window that ends at `end_ms`, a whole minute."""
        dimension = panel_dimension(ask)
        assert dimension is not None
        start_ms = end_ms - ask.window_ms
        table: dict[str, dict[str, int]] = {}
        for kind in kinds_of(ask):
            panel = self._panels.get((campaign_id, dimension, kind))
            if panel is None:
                continue
            sums = panel.sums(start_ms // MINUTE_MS, end_ms // MINUTE_MS)
            busy = np.flatnonzero(sums.any(axis=1)).tolist()
            values = panel.values
            for place in busy:
                table.setdefault(values[place], {}).update(zip(panel.measures, sums[place].tolist(), strict=True))
        rows = {
            value: _metrics(ask.metrics, measures, dimension, margin)
            for value, measures in _kept(table, ask, dimension).items()
        }
        return Reading(rows, start_ms, end_ms, read_at)

    def curve(self, campaign_id: str, ask: Curve, end_ms: int, margin: Decimal, read_at: int) -> CurveReading:
        """The steps that end at `end_ms`, a whole minute."""
        dimension = panel_dimension(ask)
        assert dimension is not None
        steps = ask.length_ms // ask.step_ms
        per_step = ask.step_ms // MINUTE_MS
        start_ms = end_ms - steps * ask.step_ms
        if all(METRICS[name].measure for name in ask.metrics) and (ask.by is not None or not dimension):
            return CurveReading(
                self._plain(campaign_id, ask, dimension, start_ms // MINUTE_MS), start_ms, ask.step_ms, steps, read_at
            )
        tables: list[dict[str, dict[str, int]]] = [{} for _ in range(steps)]
        for kind in kinds_of(ask):
            panel = self._panels.get((campaign_id, dimension, kind))
            if panel is None:
                continue
            minutes = panel.steps(start_ms // MINUTE_MS, end_ms // MINUTE_MS)
            sums = minutes.reshape(steps, per_step, *minutes.shape[1:]).sum(axis=1)
            for place, value in enumerate(panel.values):
                for step, row in enumerate(sums[:, place].tolist()):
                    tables[step].setdefault(value, {}).update(zip(panel.measures, row, strict=True))
        kept = [_kept(table, ask, dimension) for table in tables]
        values = sorted({value for table in kept for value in table})
        computed = {
            value: [_metrics(ask.metrics, table.get(value, {}), dimension, margin) for table in kept]
            for value in values
        }
        rows = {
            value: {name: [step[name] for step in told] for name in ask.metrics} for value, told in computed.items()
        }
        return CurveReading(rows, start_ms, ask.step_ms, steps, read_at)

    def _plain(self, campaign_id: str, ask: Curve, dimension: str, since: int) -> dict[str, dict[str, Sequence[Value]]]:
        """The rows of a curve whose metrics are each one measure."""
        steps, per_step = ask.length_ms // ask.step_ms, ask.step_ms // MINUTE_MS
        wanted = dict(ask.filters).get(dimension)
        found: dict[str, dict[str, Sequence[Value]]] = {}
        for kind in kinds_of(ask):
            panel = self._panels.get((campaign_id, dimension, kind))
            if panel is None:
                continue
            minutes = panel.steps(since, since + steps * per_step)
            sums = minutes.reshape(steps, per_step, *minutes.shape[1:]).sum(axis=1)
            values = panel.values
            for place in np.flatnonzero(sums.any(axis=(0, 2))).tolist():
                if wanted is None or values[place] in wanted:
                    row = found.setdefault(values[place], {})
                    for index, measure in enumerate(panel.measures):
                        told = sums[:, place, index].tolist()
                        row[measure] = [Decimal(n).scaleb(-2) for n in told] if measure in MONEY else told
        return {
            value: {name: self._or_nothing(row, name, dimension, steps) for name in ask.metrics}
            for value, row in sorted(found.items())
        }

    @staticmethod
    def _or_nothing(row: Mapping[str, Sequence[Value]], name: str, dimension: str, steps: int) -> Sequence[Value]:
        measure = METRICS[name].measure
        assert measure is not None
        if dimension and MEASURES[measure].kind not in CARRIED[dimension]:
            return [None] * steps
        return row.get(measure) or [Decimal(0) if measure in MONEY else 0] * steps


def _kept(table: dict[str, dict[str, int]], ask: Ask | Curve, dimension: str) -> dict[str, dict[str, int]]:
    """The rows that the filter keeps, added up where there is no grouping."""
    for _, values in ask.filters:
        table = {value: row for value, row in table.items() if value in values}
    if ask.by is not None or not dimension:
        return table
    whole: dict[str, int] = {}
    for row in table.values():
        for name, number in row.items():
            whole[name] = whole.get(name, 0) + number
    return {"": whole} if whole else {}


def _metrics(names: tuple[str, ...], sums: Mapping[str, int], dimension: str, margin: Decimal) -> dict[str, Value]:
    measures: dict[str, Value] = {}
    for name in _measures(names):
        if dimension and MEASURES[name].kind not in CARRIED[dimension]:
            measures[name] = None
        elif name in MONEY:
            measures[name] = Decimal(sums.get(name, 0)).scaleb(-2)
        else:
            measures[name] = sums.get(name, 0)
    return {name: compute(name, measures, margin) for name in names}
