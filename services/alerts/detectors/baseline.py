"""What is normal for a series: robust against the incidents that lie within it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.alerts.scene import CampaignScene, Counts, Mask, Series

_HOLE_IMPROBABLE = 1e-4
_ENOUGH_FOR_MEDIAN = 5.0
_TRIM = 0.05
_LATELY_SECONDS = 600


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


def covered_buckets(scene: CampaignScene) -> Mask:
    """Which buckets of the history hold data at all.

    A bucket without any event of a campaign that always has some is missing, not zero: before the first event, in a
    silence, between an import and the live part.
    """
    occupied = scene.history_occupied
    counts = occupied.counts
    active = np.flatnonzero(counts)
    covered = np.zeros(len(counts), dtype=np.bool_)
    if len(active) == 0:
        return covered
    covered[active[0] : active[-1] + 1] = True
    typical = float(np.median(counts[active]))
    if typical >= 0.5 * occupied.step:
        covered &= counts > 0
    return covered


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


def occupancy(scene: CampaignScene) -> float | None:
    """The share of seconds in which anything happens, the lower of the hour and its last ten minutes; None when
    fewer than ten minutes are known."""
    step = scene.history_occupied.step
    known = scene.history_occupied.counts[covered_buckets(scene)]
    if len(known) * step < _LATELY_SECONDS:
        return None
    lately = known[-(_LATELY_SECONDS // step) :]
    return float(min(known.mean(), lately.mean()) / step)
