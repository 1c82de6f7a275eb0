"""A value beside the value that it is compared with."""

from __future__ import annotations

from decimal import Decimal

from schemas.metrics import Value


def difference(value: Value, baseline: Value) -> Value:
    """How much more than the baseline; None where one of them is undefined."""
    if value is None or baseline is None:
        return None
    if isinstance(value, Decimal) or isinstance(baseline, Decimal):
        return Decimal(value) - Decimal(baseline)
    return value - baseline


def ratio(value: Value, baseline: Value) -> float | None:
    """How many times the baseline; None where one of them is undefined or the baseline is zero."""
    if value is None or baseline is None or baseline == 0:
        return None
    return float(Decimal(value) / Decimal(baseline))
