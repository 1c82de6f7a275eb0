"""Amounts from the bytes of their JSON token to cents, in the forms that producers usually send."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from schemas.events.limits import AMOUNT_LIMIT

CENTS_LIMIT: Final = AMOUNT_LIMIT * 100
# 13 digits, a point, 2 digits: no amount within the limit is longer in its usual form.
_LONGEST: Final = 16
_MEMORY: Final = 16_384


class Unsure(Exception):
    """The event may be good or bad; only the reference can tell."""


def cents(sent: object) -> int:
    """Cents of an amount as msgspec hands it over: an `int`, or text (of a string, or of a number with a point).

    Raises `Unsure` for any but the usual forms `12`, `12.5` and `12.50`.
    """
    if type(sent) is str:
        # `isdigit` alone would let the digits of other scripts through.
        if len(sent) <= _LONGEST and sent.isascii():
            if sent[-3:-2] == ".":
                digits = sent[:-3] + sent[-2:]
                # `.50` is no amount, although its digits are.
                if digits.isdigit() and len(digits) > 2:
                    return int(digits)
            elif sent[-2:-1] == ".":
                digits = sent[:-2] + sent[-1:]
                if digits.isdigit() and len(digits) > 1:
                    return int(digits) * 10
            elif sent.isdigit() and len(sent) <= _LONGEST - 3:
                return int(sent) * 100
    elif type(sent) is int and 0 <= sent < AMOUNT_LIMIT:
        return sent * 100
    raise Unsure


class AmountMemory:
    """`cents` with a memory: a shop has far fewer prices than orders.

    `texts` maps at most 16,384 texts to their cents and is emptied when full.
    """

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def cents(self, sent: object) -> int:
        """As the function `cents`."""
        if type(sent) is not str:
            return cents(sent)
        known = self.texts.get(sent)
        if known is None:
            known = cents(sent)
            if len(self.texts) >= _MEMORY:
                self.texts.clear()
            self.texts[sent] = known
        return known


class Rate:
    """Exact conversion of cents into the reporting currency, rounded half up."""

    __slots__ = ("_denominator", "_numerator", "is_one")

    def __init__(self, rate: Decimal) -> None:
        self._numerator, self._denominator = rate.as_integer_ratio()
        self.is_one = rate == 1

    def convert(self, amount: int) -> int:
        """`amount` cents in cents of the reporting currency; raises `Unsure` beyond the limit of amounts."""
        if not self.is_one:
            amount = (2 * amount * self._numerator + self._denominator) // (2 * self._denominator)
        if amount >= CENTS_LIMIT:
            raise Unsure
        return amount


REPORTING: Final = Rate(Decimal(1))
"""The rate of the reporting currency."""
