"""How many of what comes to a channel becomes a paid order: what is normal, and what the last minutes held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from services.alerts.series import Counts, Mask, Series

_BLOCK_BUCKETS = 20
"""Five minutes of history at a time."""
_LEAST_BLOCKS = 4
_LEAST_ORDERS_A_BLOCK = 4.0
_MINUTE_BUCKETS = 4
_LOWER_NINE_TENTHS = 0.623
"""The mean of the lower nine tenths of a chi-square variable with one degree of freedom."""
_MOST_DISPERSED = 4.0


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is normal for a channel: `orders` a unit of `traffic`, learnt from so much of both over so many `seconds`.

    `dispersion` is the variance of the orders over their mean (1 for Poisson), `traffic_rate` events a second.
    """

    rate: float
    dispersion: float
    orders: int
    traffic: int
    seconds: int

    @property
    def traffic_rate(self) -> float:
        return self.traffic / self.seconds


def learn_conversion(traffic: Series, paid: Series | None, covered: Mask, start: int, end: int) -> Conversion | None:
    """What was normal over the covered buckets of `[start, end)`, in seconds; None without traffic or orders.

    The median of five-minute blocks where they hold enough orders, so that up to half of them may be incidents or
    robots; all orders over all traffic where they do not.
    """
    first = max(0, -(-(start - traffic.start) // traffic.step))
    last = min(len(traffic.counts), max(first, (end - traffic.start) // traffic.step))
    known = covered[first:last]
    visits = traffic.counts[first:last][known]
    if paid is None or not len(visits) or not visits.any():
        return None
    orders = paid.counts[first:last][known]
    total, seconds = int(orders.sum()), len(visits) * traffic.step
    if not total:
        return None
    pooled = Conversion(total / int(visits.sum()), 1.0, total, int(visits.sum()), seconds)
    blocks = len(visits) // _BLOCK_BUCKETS
    if blocks < _LEAST_BLOCKS or total < blocks * _LEAST_ORDERS_A_BLOCK:
        return pooled
    kept = slice(len(visits) - blocks * _BLOCK_BUCKETS, None)
    came = visits[kept].reshape(blocks, _BLOCK_BUCKETS).sum(axis=1)
    bought = orders[kept].reshape(blocks, _BLOCK_BUCKETS).sum(axis=1)
    usable = came > 0
    came, bought = came[usable], bought[usable]
    rate = float(np.median(bought / came))
    if rate <= 0:
        return pooled
    dispersion = _dispersion(visits, orders, rate)
    visits_a_block = float(np.median(came)) / (_BLOCK_BUCKETS * traffic.step)
    return Conversion(rate, dispersion, total, round(visits_a_block * seconds), seconds)


def _dispersion(visits: Counts, orders: Counts, rate: float) -> float:
    """The variance of a minute's orders over their mean, without the tenth of the minutes that are the oddest."""
    whole = len(visits) // _MINUTE_BUCKETS * _MINUTE_BUCKETS
    expected = rate * visits[:whole].reshape(-1, _MINUTE_BUCKETS).sum(axis=1)
    bought = orders[:whole].reshape(-1, _MINUTE_BUCKETS).sum(axis=1)[expected > 0]
    expected = expected[expected > 0]
    odd = np.sort((bought - expected) ** 2 / expected)
    kept = odd[: max(1, len(odd) * 9 // 10)]
    return min(_MOST_DISPERSED, max(1.0, float(kept.mean()) / _LOWER_NINE_TENTHS))


def chance_of_so_few(orders: int, expected: float, normal: Conversion) -> float:
    """The probability of at most so many orders where `expected` are normal, given that what is normal is itself
    only known from `normal.orders`.

    Exact for two Poisson counts with the same rate: given their sum, the first is binomial with its share of the
    exposure (J. Przyborowski and H. Wilenski, "Homogeneity of results in testing samples from Poisson series",
    Biometrika 31, 1940). Counts are divided by the dispersion.
    """
    few, many = orders / normal.dispersion, normal.orders / normal.dispersion
    share = expected / (expected + normal.orders)
    # I_{1-q}(n - k, k + 1) is the binomial distribution function at k.
    return float(special.betainc(many, few + 1, 1 - share))


class Tally:
    """Counts of any span of the last hour: by buckets of the history, and by the second in the last minutes."""

    def __init__(self, past: Series | None, recent: Series | None) -> None:
        self._past, self._recent = past, recent
        self._past_sums = None if past is None else _sums(past)
        self._recent_sums = None if recent is None else _sums(recent)

    def count(self, start: int, end: int) -> int:
        """The events of `[start, end)`, in seconds; what lies before the last minutes begins with a whole bucket."""
        if self._recent is None or self._recent_sums is None:
            return (
                0
                if self._past is None or self._past_sums is None
                else _between(self._past, self._past_sums, start, end)
            )
        if start >= self._recent.start or self._past is None or self._past_sums is None:
            return _between(self._recent, self._recent_sums, start, end)
        # As early as the seconds begin: they are exact, and newer than the history.
        step = self._past.step
        known = min(max(-(-self._recent.start // step) * step, start), end)
        earlier = _between(self._past, self._past_sums, start, known)
        return earlier + _between(self._recent, self._recent_sums, known, end)


def _sums(series: Series) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(series.counts)])


def _between(series: Series, sums: npt.NDArray[np.int64], start: int, end: int) -> int:
    last = len(sums) - 1
    first = min(max(0, -(-(start - series.start) // series.step)), last)
    final = min(max(first, (end - series.start) // series.step), last)
    return int(sums[final] - sums[first])
