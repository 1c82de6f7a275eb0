"""Amounts from the bytes of their JSON token to cents, in the forms that producers usually send."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from schemas.events.limits import AMOUNT_LIMIT

CENTS_LIMIT: Final = AMOUNT_LIMIT * 100
# 13 digits, a point, 2 digits: no amount within the limit is longer in its usual form.
_LONGEST: Final = 16


class Unsure(Exception):
    """The event may be good or bad; only the reference can tell."""


def cents(token: bytes) -> int:
    """Cents of a JSON number or decimal string such as `12`, `12.5`, `"12.50"`; raises `Unsure` for any other form."""
    if token[:1] == b'"':
        token = token[1:-1]
    if len(token) <= _LONGEST:
        if token[-3:-2] == b".":
            digits = token[:-3] + token[-2:]
            # `.50` is no amount, although its digits are.
            if digits.isdigit() and len(token) > 3:
                return int(digits)
        elif token[-2:-1] == b".":
            digits = token[:-2] + token[-1:]
            if digits.isdigit() and len(token) > 2:
                return int(digits) * 10
        elif token.isdigit() and len(token) <= _LONGEST - 3:
            return int(token) * 100
    raise Unsure


class Rate:
    """Exact conversion of cents into the reporting currency, rounded half up."""

    __slots__ = ("_denominator", "_is_one", "_numerator")

    def __init__(self, rate: Decimal) -> None:
        self._numerator, self._denominator = rate.as_integer_ratio()
        self._is_one = rate == 1

    def convert(self, amount: int) -> int:
        """`amount` cents in cents of the reporting currency; raises `Unsure` beyond the limit of amounts."""
        if not self._is_one:
            amount = (2 * amount * self._numerator + self._denominator) // (2 * self._denominator)
        if amount >= CENTS_LIMIT:
            raise Unsure
        return amount


REPORTING: Final = Rate(Decimal(1))
"""The rate of the reporting currency."""
