"""Amounts and counts: exact, never through a float."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.events.limits import AMOUNT_LIMIT, MAX_INTEGER, MAX_QUANTITY

_DECIMAL_STRING: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_CENT: Final = Decimal("0.01")


def refuse(message: str) -> PydanticCustomError:
    """An error whose message reaches the dead letter as it is."""
    return PydanticCustomError("contract", "{why}", {"why": message})


def parse_amount(value: object) -> Decimal:
    """Exact amount with two decimals from a parsed JSON number (`int`, `Decimal`) or a decimal string."""
    if isinstance(value, str):
        if not _DECIMAL_STRING.fullmatch(value):
            raise refuse("must be a decimal string such as 12.50")
        amount = Decimal(value)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        amount = Decimal(value)
    else:
        raise refuse("must be a decimal string or a number")
    if amount < 0:
        raise refuse("must not be negative")
    if amount >= AMOUNT_LIMIT:
        raise refuse("must be below 10000000000000")
    if amount and _decimals(amount) > 2:
        raise refuse("at most 2 decimals")
    return amount.quantize(_CENT) if amount else Decimal("0.00")


def _decimals(amount: Decimal) -> int:
    # Read off the digits: arithmetic would round to the context's precision first.
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return -exponent - (len(text) - len(text.rstrip("0")))


def parse_integer(value: object) -> int:
    """A JSON integer from 0 to 2^53, also when written `5.0` or `1e2`."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise refuse("must be an integer")
    if value < 0:
        raise refuse("must be at least 0")
    if value > MAX_INTEGER:
        raise refuse(f"must be at most {MAX_INTEGER}")
    if value != int(value):
        raise refuse("must be an integer")
    return int(value)


def parse_quantity(value: object) -> int:
    """Pieces in one line of an order, from 1 to a million."""
    quantity = parse_integer(value)
    if quantity < 1:
        raise refuse("must be at least 1")
    if quantity > MAX_QUANTITY:
        raise refuse(f"must be at most {MAX_QUANTITY}")
    return quantity


def to_cents(amount: Decimal, rate: Decimal) -> int:
    """Cents of the reporting currency, rounded half up once.

    `amount` has at most two decimals; `rate` is reporting units for one unit of `amount`.
    """
    cents = int(amount * 100)
    numerator, denominator = rate.as_integer_ratio()
    # Whole numbers throughout: `Decimal` would round to the digits of its context first.
    return (2 * cents * numerator + denominator) // (2 * denominator)


_AMOUNT_SCHEMA: Final[dict[str, Any]] = {
    "description": "At most 2 decimals, from 0 to below 10^13. Send a decimal string where floats may be at work.",
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": AMOUNT_LIMIT},
        {"type": "string", "pattern": r"^0*[0-9]{1,13}(\.[0-9]{1,2}0*)?$"},
    ],
}
_INTEGER_SCHEMA: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_QUANTITY_SCHEMA: Final[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY}

Amount = Annotated[Decimal, BeforeValidator(parse_amount), WithJsonSchema(_AMOUNT_SCHEMA)]
Count = Annotated[int, BeforeValidator(parse_integer), WithJsonSchema(_INTEGER_SCHEMA)]
Quantity = Annotated[int, BeforeValidator(parse_quantity), WithJsonSchema(_QUANTITY_SCHEMA)]
