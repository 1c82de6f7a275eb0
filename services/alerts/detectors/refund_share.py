"""How many refunds the paid orders of late explain: refunds rise with sales, and a sale is no fraud."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from services.alerts.scene import Sold
from services.alerts.statistics import log_negative_binomial_upper_tail

_PRIOR_ORDERS = 100
"""Weight of the usual share in the share of one item or channel: as if it had had so many orders more."""
MOST_SHARE = 0.5
"""A larger share of refunds is never taken for normal: a few purchases must not excuse as many refunds."""
_FIRST_SHARE = 0.02
_SIGMAS = 1.5
_LEAST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """Refunds that sales explain: `mean` of them, known as well as by `shape` refunds that were counted."""

    mean: float
    shape: float

    def log_tail(self, count: int) -> float:
        """ln of the probability of `count` refunds or more.

        The share is known from a count itself: if that is Gamma distributed about it (`shape` refunds seen), refunds
        to come follow a negative binomial (A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6).
        """
        return log_negative_binomial_upper_tail(count, self.mean, self.shape)


NOTHING = Explained(0.0, 1.0)
"""No sales to speak of."""


def own_share(refunded: int, paid: int, usual: float) -> float:
    """The share of an item or a channel that had `refunded` of `paid` orders, drawn towards the `usual` one."""
    return min(MOST_SHARE, (refunded + usual * _PRIOR_ORDERS) / (paid + _PRIOR_ORDERS))


def usual_share(refunded: int, paid: int) -> float:
    """The share of a campaign's orders that are refunded, of so many; 2 % as long as there are few."""
    return own_share(refunded, paid, _FIRST_SHARE)


def explained(orders: float, refunded: int, paid: int, usual: float) -> Explained:
    """What so many `orders` explain of an item or a channel that had `refunded` of `paid` orders; `usual` as above."""
    if orders <= 0:
        return NOTHING
    return Explained(orders * own_share(refunded, paid, usual), refunded + usual * _PRIOR_ORDERS)


def surely(orders: int) -> float:
    """Orders less one and a half standard deviations: two purchases beside each other are chance."""
    return max(0.0, orders - _SIGMAS * math.sqrt(orders))


def orders_of(sold: Sold, window_seconds: int) -> float:
    """Orders of an item that may stand behind the refunds of a window."""
    present = orders_in(window_seconds, [(sold.present, sold.present_seconds)])
    # The first purchases of a minute are no minute full of them.
    present = min(present, surely(sold.present + sold.busiest))
    return max(present, orders_in(window_seconds, [(sold.busiest, 60), (sold.orders, sold.seconds)]))


def orders_in(window_seconds: int, counts: Iterable[tuple[int, int]]) -> float:
    """Orders that may stand behind the refunds of a window, from (orders, seconds) of several times of late.

    How long after its order a refund comes is not known: within seconds, or in minutes. So the busiest counts.
    """
    rates = (surely(orders) / max(_LEAST_SECONDS, seconds) for orders, seconds in counts)
    return window_seconds * max(rates, default=0.0)
