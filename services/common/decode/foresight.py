"""Refusals that the fast way is sure of, so that a flood of them costs little more than good records do.

A record that would be accepted if its currency had a rate, or if it were later, is refused for just that: the judge
looks at these two last. Whatever the fast way is not sure of is left to the judge, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from schemas.events.judge import ahead_of_time, without_rate
from schemas.events.limits import MAX_AHEAD_MS, MAX_EVENT_BYTES
from services.common.decode.events import Event
from services.common.decode.fast import Decode, fast

_CODE: Final = re.compile("[A-Z]{3}")
_PAID: Final = ("orders", "coupons", "spend")
"""In other kinds a currency is a field that nobody knows."""
_FAR: Final = 1 << 62
_MOST_CURRENCIES: Final = 8


class _Money(msgspec.Struct, gc=False):
    currency: str = ""


class Foresight:
    """The sure refusals of one kind. Not safe for use by two threads at once."""

    __slots__ = ("_assuming", "_currencies", "_kind", "_money")

    def __init__(self, kind: str, currencies: Mapping[str, Decimal]) -> None:
        """As `Decoder`."""
        self._kind = kind
        self._currencies = currencies
        self._money = msgspec.json.Decoder(_Money).decode if kind in _PAID else None
        self._assuming: dict[str, Decode[Event | None]] = {"": self._decoder(currencies)}

    def check(self, value: bytes | None, now_ms: int) -> None:
        """Raises `RefusedEvent` where the judge surely would; returning says nothing."""
        if value is None or len(value) > MAX_EVENT_BYTES:
            return
        foreign = ""
        if self._money is not None:
            try:
                currency = self._money(value).currency
            except (msgspec.MsgspecError, ValueError, RecursionError):
                return
            if currency and currency not in self._currencies:
                if not _CODE.fullmatch(currency):
                    return
                foreign = currency
        decode = self._assuming.get(foreign)
        if decode is None:
            if len(self._assuming) > _MOST_CURRENCIES:
                return
            decode = self._assuming[foreign] = self._decoder({**self._currencies, foreign: Decimal(1)})
        event = decode(value, _FAR)
        if event is None:
            return
        if foreign:
            raise without_rate(foreign)
        if event.event_time_ms > now_ms + MAX_AHEAD_MS:
            raise ahead_of_time()

    def _decoder(self, currencies: Mapping[str, Decimal]) -> Decode[Event | None]:
        return fast(self._kind, currencies, otherwise=_nothing)


def _nothing(value: bytes | None, now_ms: int) -> None:
    return None
