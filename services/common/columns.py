"""Columns of a table and how their values are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

CENT = Decimal("0.01")


class Type(StrEnum):
    """What a column holds, in every form of the table."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    NUMBER = "number"
    """Of which each row says the unit: as money in JSON where it is a Decimal, six decimals in Arrow and Parquet."""
    FLAG = "flag"
    """True or false."""
    TIME = "time"
    """Aware datetimes: RFC 3339 with the offset they carry in JSON and CSV, UTC in Arrow and Parquet."""
    JSON = "json"
    """Nested values: as they are in JSON, JSON text in the other forms."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and type."""

    name: str
    type: Type


def money_text(amount: Decimal | int) -> str:
    """An amount as the contract writes it: a decimal string with two decimals."""
    return format(Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP), "f")


def time_text(moment: datetime) -> str:
    """RFC 3339, with milliseconds only where there are some."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def json_value(kind: Type, value: Any) -> Any:
    """A cell as it stands in JSON."""
    if value is None:
        return None
    if kind is Type.MONEY or (kind is Type.NUMBER and isinstance(value, Decimal)):
        return money_text(value)
    if kind is Type.TIME:
        return time_text(value)
    return value
