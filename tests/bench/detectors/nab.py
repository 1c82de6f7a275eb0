"""The score of the Numenta Anomaly Benchmark, v1.1, standard profile, over a corpus that lies in a directory.

The rules (Lavin & Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms"): the first rows of a series are not
scored; a labelled window counts once, by its first row told, the earlier the better; a row told outside costs 0.11,
less right behind a window; 0 is a detector that tells nothing, 100 one that tells the first row of every window.
"""

from __future__ import annotations

import csv
import json
import math
import random
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from services.alerts.detectors.nab import make

_FALSE = 0.11
_WARM_UP_SHARE = 0.15
_WARM_UP_ROWS = 750
_SPLITS = 200


class Told(NamedTuple):
    """A row with a score above 0: what telling it is worth, and the window it lies in, if any."""

    score: float
    worth: float
    window: int | None


class Series(NamedTuple):
    rows: list[Told]
    windows: int


class Score(NamedTuple):
    """`best`: with the threshold that suits all. `crossed`: of one half, with the threshold that suits the other."""

    best: float
    threshold: float
    found: int
    windows: int
    false_rows: int
    files: int
    crossed: float
    crossed_spread: float
    splits: int


def score(corpus: Path) -> Score:
    """The score of `services.alerts.detectors.nab` on every series of the corpus."""
    labels: dict[str, list[list[str]]] = json.loads((corpus / "labels" / "combined_windows.json").read_text())
    corpus_series = [_judged(corpus / "data" / name, limits) for name, limits in sorted(labels.items())]
    threshold = best_threshold(corpus_series)
    told = [(number, row) for number, series in enumerate(corpus_series) for row in series.rows]
    above = [(number, row) for number, row in told if row.score >= threshold]
    crossed = []
    order = random.Random(0)
    for _ in range(_SPLITS):
        shuffled = order.sample(corpus_series, len(corpus_series))
        half = len(shuffled) // 2
        if any(series.windows for series in shuffled[half:]):
            crossed.append(points(shuffled[half:], best_threshold(shuffled[:half])))
    return Score(
        best=points(corpus_series, threshold),
        threshold=threshold,
        found=len({(number, row.window) for number, row in above if row.window is not None}),
        windows=sum(series.windows for series in corpus_series),
        false_rows=sum(row.window is None for _, row in above),
        files=len(corpus_series),
        crossed=statistics.mean(crossed),
        crossed_spread=statistics.pstdev(crossed),
        splits=len(crossed),
    )


def points(corpus: Sequence[Series], threshold: float) -> float:
    """What is earned above a detector that tells nothing, in per cent of what can be."""
    earned = 0.0
    for series in corpus:
        best: dict[int, float] = {}
        for row in series.rows:
            if row.score < threshold:
                continue
            if row.window is None:
                earned += _FALSE * row.worth
            else:
                best[row.window] = max(best.get(row.window, -1.0), row.worth)
        earned += sum(1.0 + worth for worth in best.values())
    return 100.0 * earned / (2.0 * sum(series.windows for series in corpus))


def best_threshold(corpus: Sequence[Series]) -> float:
    """The threshold with the most points; one that nothing reaches where telling anything costs more."""
    if not any(series.windows for series in corpus):
        return math.inf
    candidates = {row.score for series in corpus for row in series.rows}
    return max([math.inf, *sorted(candidates, reverse=True)], key=lambda threshold: points(corpus, threshold))


def _judged(path: Path, limits: Sequence[Sequence[str]]) -> Series:
    with path.open(newline="") as handle:
        table = [(_time(row["timestamp"]), float(row["value"])) for row in csv.DictReader(handle)]
    first_at = {moment: i for i, (moment, _) in reversed(list(enumerate(table)))}
    spans = [(first_at[_time(start)], first_at[_time(end)]) for start, end in limits]
    warm_up = min(math.floor(_WARM_UP_SHARE * len(table)), _WARM_UP_ROWS)
    scorer = make()
    scores = [scorer.score(*row) for row in table]
    rows = [Told(each, *worth(i, spans)) for i, each in enumerate(scores) if each > 0 and i >= warm_up]
    return Series(rows, len(spans))


def worth(row: int, spans: Sequence[tuple[int, int]]) -> tuple[float, int | None]:
    """What telling this row is worth, from -1 to 1, and the window that it lies in."""
    if any(before[1] >= after[0] for before, after in pairwise(spans)):
        raise ValueError("windows overlap")
    behind: float | None = None
    for number, (first, last) in enumerate(spans):
        if first <= row <= last:
            width = last - first + 1
            return _sigmoid((row - last - 1) / width) / _sigmoid(-1.0), number
        if row > last:
            behind = (row - last) / max(last - first, 1)
    return (-1.0 if behind is None or behind > 3.0 else _sigmoid(behind)), None


def _sigmoid(x: float) -> float:
    return 2.0 / (1.0 + math.exp(5.0 * x)) - 1.0


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
