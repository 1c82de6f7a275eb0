"""Intervals and tests for counts and shares, each with its source.

Of SciPy only `scipy.special` is imported, here as everywhere: the image has no more of it (deploy/image/slim.sh).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special


@dataclass(frozen=True, slots=True)
class Interval:
    """`low` <= the estimate <= `high`."""

    low: float
    high: float


def poisson_interval(count: int, confidence: float = 0.9) -> Interval:
    """The exact interval of the mean of a Poisson count.

    F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936): half of the chi-square quantiles
    with 2n and 2n + 2 degrees of freedom, here as quantiles of the gamma distribution.
    """
    tail = (1 - confidence) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return Interval(low, float(special.gammaincinv(count + 1, 1 - tail)))


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The score interval of a share; `trials` is at least 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); method 3 of
    R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998).
    """
    z = float(special.ndtri((1 + confidence) / 2))
    share = successes / trials
    middle = 2 * successes + z * z
    spread = z * sqrt(z * z + 4 * successes * (1 - share))
    below = 2 * (trials + z * z)
    low = 0.0 if successes == 0 else (middle - spread) / below
    high = 1.0 if successes == trials else (middle + spread) / below
    return Interval(max(0.0, min(low, share)), min(1.0, max(high, share)))


def newcombe_interval(
    successes: int, trials: int, other_successes: int, other_trials: int, confidence: float = 0.95
) -> Interval:
    """The interval of the difference of two independent shares, the first less the other.

    Method 10 (hybrid score) of R. G. Newcombe, "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 17 (1998).
    """
    share, other = successes / trials, other_successes / other_trials
    own = wilson_interval(successes, trials, confidence)
    its = wilson_interval(other_successes, other_trials, confidence)
    difference = share - other
    return Interval(
        difference - sqrt((share - own.low) ** 2 + (its.high - other) ** 2),
        difference + sqrt((own.high - share) ** 2 + (other - its.low) ** 2),
    )


def shares_differ(successes: int, trials: int, other_successes: int, other_trials: int) -> float:
    """The two-sided p-value of two shares being equal.

    Pearson's chi-square test without continuity correction, which is the pooled z-test; Fisher's exact test where an
    expected count is below 5 (W. G. Cochran, "Some methods for strengthening the common chi-square tests",
    Biometrics 10, 1954).
    """
    both, everyone = successes + other_successes, trials + other_trials
    if min(trials, other_trials) * min(both, everyone - both) < 5 * everyone:
        return _fisher(successes, trials, both, everyone)
    crossed = successes * (other_trials - other_successes) - other_successes * (trials - successes)
    return float(special.chdtrc(1, everyone * crossed**2 / (trials * other_trials * both * (everyone - both))))


def _fisher(successes: int, trials: int, both: int, everyone: int) -> float:
    """The sum over all tables with these margins that are no likelier than the one that was found.

    Their probabilities (hypergeometric) are proportional to products of the ratios of neighbours, which stay exact
    where factorials of large numbers would not. Tables that are equally likely but for rounding count, as in R's
    fisher.test.
    """
    fewest, most = max(0, trials + both - everyone), min(trials, both)
    counts = np.arange(fewest, most, dtype=float)
    ratios = (trials - counts) * (both - counts) / ((counts + 1) * (everyone - trials - both + counts + 1))
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    likely = np.exp(logarithms - logarithms.max())
    return float(likely[likely <= likely[successes - fewest] * (1 + 1e-7)].sum() / likely.sum())


def split_is_even(counts: Sequence[int]) -> float:
    """The p-value of users having been split evenly: chi-square goodness of fit. 1 for fewer than two groups."""
    if len(counts) < 2 or not sum(counts):
        return 1.0
    expected = sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 for count in counts) / expected
    return float(special.chdtrc(len(counts) - 1, statistic))
