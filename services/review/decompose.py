"""What a difference is made of.

The logarithmic mean Divisia index in its additive form (LMDI-I): B. W. Ang, "LMDI decomposition approach: A guide for
implementation", Energy Policy 86 (2015). With V = x1 * ... * xn, each factor contributes

    L(V', V) * ln(xi' / xi),   L(a, b) = (a - b) / (ln a - ln b),   L(a, a) = a

and the contributions add up to V' - V with nothing left over; which factor is named first does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

CENT = Decimal("0.01")
_DIGITS = 60


def contributions(before: Sequence[Decimal], after: Sequence[Decimal]) -> list[Decimal] | None:
    """What each factor of a chain contributes to the difference of its last value, in whole cents that add up exactly.

    A chain such as visitors, buyers, orders, amount stands for the factors visitors, buyers per visitor, orders per
    buyer and amount per order, whose product is the amount. None where a value is zero or negative: then no ratio
    tells what changed. The last values are amounts in cents.
    """
    if len(before) != len(after) or not before:
        raise ValueError("both chains must have the same links, one at least")
    if any(value <= 0 for value in (*before, *after)):
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        total = after[-1] - before[-1]
        logs = [(new / old).ln() for old, new in zip(before, after, strict=True)]
        mean = before[-1] if total == 0 else total / logs[-1]
        parts = [mean * (log - previous) for previous, log in zip((Decimal(0), *logs), logs, strict=False)]
        return _in_cents(parts, total)


def _in_cents(parts: list[Decimal], total: Decimal) -> list[Decimal]:
    """The parts in cents, the cents that are over going to those that rounding down took the most from."""
    floors = [part.quantize(CENT, rounding=ROUND_FLOOR) for part in parts]
    over = int((total - sum(floors)) / CENT)
    by_loss = sorted(range(len(parts)), key=lambda number: (floors[number] - parts[number], number))
    for number in by_loss[:over]:
        floors[number] += CENT
    return floors
