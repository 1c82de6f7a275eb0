"""Whether the product says what DuckDB says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from tests.festivals.duck_metrics import DISTINCT, MONEY

EXACT_BELOW: Final = 5_000
OFF: Final = 0.005
"""How far a distinct count from there on may be off, as a share of it."""

_OF_DISTINCT: Final = {"conversion_rate": ("buyers", "uv"), "cac": ("new_buyers",)}


def same(name: str, said: Any, expected: Any, *, money: bool = False, off: float = 1e-9) -> bool:
    """Money is an exact decimal string, a count an integer, a ratio a number within `off`, and nothing is null."""
    if said is None or expected is None:
        return said is None and expected is None
    if money or name in MONEY:
        return isinstance(said, str) and Decimal(said) == expected
    if name in DISTINCT and expected >= EXACT_BELOW:
        return type(said) is int and abs(said - expected) <= OFF * expected
    if isinstance(expected, datetime):
        return isinstance(said, str) and datetime.fromisoformat(said) == expected
    if isinstance(expected, int | str):
        return type(said) is type(expected) and bool(said == expected)
    number = isinstance(said, int | float) and not isinstance(said, bool)
    return number and abs(said - float(expected)) <= off * max(abs(float(expected)), 1e-6)


def differences(said: Mapping[str, Any], expected: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """One line for every metric that is not as expected."""
    wrong = []
    for name in names:
        # A ratio over a distinct count may be off as far as the counts are.
        loose = any((expected.get(part) or 0) >= EXACT_BELOW for part in _OF_DISTINCT.get(name, ()))
        if name not in said or not same(name, said[name], expected[name], off=2.1 * OFF if loose else 1e-9):
            wrong.append(f"{name}: answered {said.get(name, 'nothing')!r}, expected {expected[name]}")
    return wrong


def empty(row: Mapping[str, Any]) -> bool:
    """Whether all of it is zero or null, so that its row may as well be absent."""
    return not any(row.values())
