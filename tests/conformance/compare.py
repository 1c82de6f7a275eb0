"""Whether an answer says what the oracle says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.conformance.oracle import MONEY, Number

PRECISION = Fraction(1, 10**9)
"""How far a ratio, which is a binary floating-point number in JSON, may be off, as a share of it."""


def same(name: str, said: Any, expected: Number) -> bool:
    """Money is an exact decimal string, a count an integer, a ratio a number, and nothing is null."""
    if expected is None or said is None:
        return said is None and expected is None
    if name in MONEY:
        return isinstance(said, str) and Decimal(said) == expected
    if isinstance(expected, Fraction):
        number = isinstance(said, int | float) and not isinstance(said, bool)
        return number and abs(Fraction(said) - expected) <= PRECISION * abs(expected)
    return type(said) is int and said == expected


def differences(said: Mapping[str, Any], expected: Mapping[str, Number], names: Iterable[str]) -> list[str]:
    """One line for every metric that is not as expected."""
    return [
        f"{name}: answered {said.get(name, 'nothing')!r}, expected {_shown(expected[name])}"
        for name in names
        if name not in said or not same(name, said[name], expected[name])
    ]


def nothing(row: Mapping[str, Number]) -> bool:
    """Whether all of it is zero or null, so that its row may as well be absent."""
    return not any(row.values())


def _shown(value: Number) -> str:
    return f"{value} = {float(value)}" if isinstance(value, Fraction) else str(value)
