"""Bytes of a Kafka record to a JSON object, by RFC 8259 and nothing looser."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from schemas.events.limits import MAX_DEPTH, MAX_EVENT_BYTES
from services.common.errors import RefusedEvent

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
# Python refuses to convert longer texts to `int`; `Decimal` has no such limit.
_LONGEST_INT: Final = 4000


def parse_object(value: bytes | None) -> dict[str, Any]:
    """The JSON object in a record's bytes; numbers come as `int` or `Decimal`.

    Of a repeated key the last one counts. Raises `RefusedEvent` with `too_large` or `invalid_json`.
    """
    if value is None:
        raise RefusedEvent("invalid_json", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise RefusedEvent("too_large", f"{len(value)} bytes, at most {MAX_EVENT_BYTES} are accepted")
    try:
        text = value.decode("utf-8")
        if _too_deep(text):
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        if any(match[1] for match in _ESCAPE.finditer(text)):
            raise ValueError("half of a surrogate pair")
        document = _READ(text)
    except UnicodeDecodeError as error:
        raise RefusedEvent("invalid_json", f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise RefusedEvent("invalid_json", "nested too deep") from None
    except ValueError as error:
        raise RefusedEvent("invalid_json", str(error)) from None
    if not isinstance(document, dict):
        raise RefusedEvent("invalid_json", "not an object")
    return document


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest > MAX_DEPTH


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # The exponent is beyond what `Decimal` holds. Zero stays zero; no field accepts anything else that extreme.
        mantissa = re.split("[eE]", text)[0]
        return Decimal("Infinity") if re.search("[1-9]", mantissa) else Decimal(0)


def _constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


# `json.loads` makes a new decoder for every call that names a hook, which costs as much as a small event.
_READ: Final = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_constant).decode
