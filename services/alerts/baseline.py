"""What is normal for a series: robust against the incidents that lie within it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.alerts.series import Counts, Mask, Series

_HOLE_IMPROBABLE = 1e-4
_ENOUGH_FOR_MEDIAN = 5.0
_TRIM = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """`rate` in events a second, `dispersion` the variance over the mean of a bucket's count (1 for Poisson), and
    over how many `seconds` it was learnt."""

    rate: float
    dispersion: float
    seconds: int


def learn(series: Series, covered: Mask) -> Baseline | None:
    """The normal rate of a series from its covered buckets since its first event; None where there is none.

    The median of the buckets, so that up to half of them may be incidents; where the median is too coarse, because
    events are few, the mean without the largest twentieth.
    """
    active = np.flatnonzero(series.counts)
    if len(active) == 0:
        return None
    since = int(active[0])
    counts = np.sort(series.counts[since:][covered[since:]].astype(np.float64))
    if len(counts) == 0:
        return None
    centre = float(np.median(counts))
    if centre < _ENOUGH_FOR_MEDIAN:
        kept = counts[: max(1, int(len(counts) * (1 - _TRIM)))]
        # Not below one event in the whole history: a rate of zero would make anything infinitely improbable.
        centre = max(float(kept.mean()), 1 / len(counts))
    spread = 1.4826 * float(np.median(np.abs(counts - centre)))
    dispersion = max(1.0, spread**2 / centre) if centre >= _ENOUGH_FOR_MEDIAN else _trimmed_dispersion(counts)
    return Baseline(centre / series.step, dispersion, len(counts) * series.step)


def _trimmed_dispersion(counts: Counts | np.ndarray) -> float:
    kept = counts[: max(1, int(len(counts) * (1 - _TRIM)))]
    mean = float(kept.mean())
    return max(1.0, float(kept.var()) / mean) if mean > 0 else 1.0


def covered_seconds(totals: Counts, rate: float) -> Mask:
    """Which seconds of a recent series hold data: all but runs of empty seconds that chance does not make.

    `rate` is the campaign's normal rate over all channels, in events a second.
    """
    covered = np.ones(len(totals), dtype=np.bool_)
    if rate <= 0:
        return covered
    longest = -np.log(_HOLE_IMPROBABLE) / rate
    start = None
    for index, total in enumerate([*totals.tolist(), 1]):
        if total == 0:
            start = index if start is None else start
        elif start is not None:
            if index - start >= longest:
                covered[start:index] = False
            start = None
    return covered


def change_point(counts: Counts, normal: float) -> int:
    """The index from which the counts are best explained by another, higher mean than `normal`: the onset."""
    if len(counts) == 0:
        return 0
    tails = np.cumsum(counts[::-1])[::-1]
    lengths = np.arange(len(counts), 0, -1)
    levels = np.maximum(tails / lengths, 1e-9)
    gains = np.where(levels > normal, tails * np.log(levels / normal) - (levels - normal) * lengths, 0.0)
    return int(np.argmax(gains))
