"""What a point costs the detectors that are fed point by point, and, given the corpus, their score at NAB."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.alerts.series_anomaly import SeriesAnomaly
from tests.bench.detectors.nab import Score, score
from tests.bench.report import Figure

Step = Callable[[float, float], object]
Say = Callable[[str], None]

TARGET_US = 20.0
TARGET_SCORE = 65.0
POINTS = 20_000
_COLUMN = "one core"

DETECTORS: dict[str, Callable[[], Step]] = {
    "series anomaly": lambda: SeriesAnomaly().step,
}
"""What is measured: by name, how to make a new one. Each is called with seconds since the epoch and a value."""


def measure_detectors(runs: int, corpus: Path | None, say: Say) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and what they were made from. Without a `corpus` there is no score."""
    costs: dict[str, list[float]] = {name: [] for name in DETECTORS}
    for number in range(runs):
        for name, make in DETECTORS.items():
            costs[name].append(cost(make(), POINTS))
            say(f"{name} {number + 1}/{runs}: {costs[name][-1]:.1f} us a point")
    figures = [
        Figure(_COLUMN, f"a step of {name}", round(statistics.median(each), 1), "us/point", TARGET_US, at_most=True)
        for name, each in costs.items()
    ]
    details: dict[str, Any] = {"cost_us": costs}
    if corpus is not None:
        found = score(corpus)
        details["nab"] = found._asdict()
        figures += score_figures(found)
    return figures, details


def score_figures(found: Score) -> list[Figure]:
    note = f"{found.found} of {found.windows} windows, {found.false_rows} false rows, {found.files} series"
    return [
        Figure(_COLUMN, "NAB, standard, at the best threshold", round(found.best, 1), "", TARGET_SCORE, note=note),
        Figure(
            _COLUMN,
            "NAB, standard, threshold from the other half",
            round(found.crossed, 1),
            note=f"mean of {found.splits} splits; standard deviation {found.crossed_spread:.1f}",
        ),
    ]


def cost(step: Step, points: int) -> float:
    """CPU microseconds that a point costs, over a noisy series with a daily season and a spike now and then."""
    random_ = random.Random(7)
    rows = []
    for i in range(points):
        spike = 400.0 if random_.random() < 0.001 else 0.0
        season = 80 * math.sin(2 * math.pi * i / 288)
        rows.append((1_760_000_000.0 + 300 * i, 100 + season + spike + random_.gauss(0, 5)))
    begun = time.process_time()
    for moment, value in rows:
        step(moment, value)
    return (time.process_time() - begun) / points * 1e6
