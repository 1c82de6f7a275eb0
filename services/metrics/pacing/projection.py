"""From what came so far to what there will be at the end, with a range.

The estimator is the ratio estimator of a total. The past is cut into blocks; a block's amount x is compared with its
weight w, which is what came in the corresponding span of the baseline or, without one, how long the block is. Under
the model x = r w + e with independent errors of variance s^2 w, the best linear unbiased prediction of the total is
X W / W_past with r = X / W_past, and its variance is s^2 W_future W / W_past
(R. M. Royall, "On finite population sampling theory under certain linear regression models", Biometrika 57, 1970,
pp. 377-387; W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.7). s^2 is estimated from the blocks'
weighted residuals, so the range is that of Student's t with one degree of freedom less than there are blocks.

What it rests on: the future follows the same shape at the same level as the past. A change of level that has not
happened yet (a price cut at midnight) lies outside of any such range. The blocks are few and long, so that
swings of minutes are averaged within a block and do not make the range too narrow. `tests/metrics/test_projection.py`
measures how often the range holds the truth: in nine of ten cases where orders come independently, and in more than
eight where the level itself swings for some minutes at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import stdtrit

BLOCKS = 12
"""Into how many blocks the past is cut."""

FEWEST_BLOCKS = 3
"""With fewer there is no telling how much blocks vary."""

CONFIDENCE = 0.90
"""How often the range should hold the truth."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A total at the end, and the range that holds it in nine of ten cases; None where too little is known."""

    total: float
    low: float | None
    high: float | None


def project(amounts: Sequence[float], weights: Sequence[float], rest: float, *, grows: bool) -> Projection | None:
    """The total at the end from the amounts of consecutive spans so far.

    `weights` are what those spans weigh and `rest` what is still to come weighs. `grows` says that no amount is ever
    negative, so that the total cannot fall below what is there. None when the past weighs nothing.
    """
    past, so_far = math.fsum(weights), math.fsum(amounts)
    if past <= 0:
        return None
    if rest <= 0:
        return Projection(so_far, so_far, so_far)
    rate = so_far / past
    total = so_far + rate * rest
    if grows:
        total = max(total, so_far)
    blocks = _blocks(amounts, weights)
    if len(blocks) < FEWEST_BLOCKS or so_far == 0:
        return Projection(total, None, None)
    variance = math.fsum((x - rate * w) ** 2 / w for x, w in blocks) / (len(blocks) - 1)
    margin = _student(len(blocks) - 1) * math.sqrt(variance * rest * (past + rest) / past)
    low = total - margin
    return Projection(total, max(low, so_far) if grows else low, total + margin)


def _blocks(amounts: Sequence[float], weights: Sequence[float]) -> list[tuple[float, float]]:
    """Consecutive spans put together into blocks of about equal, and always positive, weight."""
    least = math.fsum(weights) / BLOCKS * (1 - 1e-9)
    blocks: list[tuple[float, float]] = []
    amount = weight = 0.0
    for x, w in zip(amounts, weights, strict=True):
        amount += x
        weight += w
        if weight >= least:
            blocks.append((amount, weight))
            amount = weight = 0.0
    if amount or weight:
        # What is left weighs too little to be a block of its own.
        last_amount, last_weight = blocks.pop() if blocks else (0.0, 0.0)
        blocks.append((last_amount + amount, last_weight + weight))
    return [block for block in blocks if block[1] > 0]


@lru_cache(maxsize=BLOCKS)
def _student(freedom: int) -> float:
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
