"""From the bytes of a Kafka record to an event, at the speed of ingest."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from schemas.events.judge import judge
from schemas.events.limits import EARLIEST_MS, MAX_AHEAD_MS, MAX_DEPTH, MAX_EVENT_BYTES
from services.common.decode.amounts import Unsure
from services.common.decode.careful import from_model
from services.common.decode.complete import COMPLETE, Memory
from services.common.decode.events import (
    CouponEvent,
    Event,
    InventoryEvent,
    OrderEvent,
    SpendEvent,
    TrafficEvent,
)

_STRUCTS: Final[Mapping[str, Any]] = {
    "traffic": TrafficEvent,
    "orders": OrderEvent,
    "coupons": CouponEvent,
    "inventory": InventoryEvent,
    "spend": SpendEvent,
}
# Fewer bytes than this cannot open and close more levels than are allowed.
_CANNOT_BE_TOO_DEEP: Final = 2 * MAX_DEPTH


class Decoder:
    """Decodes the records of one kind with the verdict of `schemas.events.judge`, several times faster.

    The fast way only ever accepts, and only what it is sure of. All else (refusals among it) is left to the
    reference, so there is one place that says no and one wording of why. Not safe for use by two threads at once.
    """

    __slots__ = ("_complete", "_currencies", "_kind", "_memory", "_read")

    def __init__(self, kind: str, currencies: Mapping[str, Decimal]) -> None:
        """`currencies` maps each accepted currency to its rate into the reporting currency, whose own rate is 1."""
        self._kind = kind
        self._currencies = dict(currencies)
        self._read = msgspec.json.Decoder(_STRUCTS[kind]).decode
        self._complete = COMPLETE[kind]
        self._memory = Memory(currencies)

    def decode(self, value: bytes | None, now_ms: int) -> Event:
        """The event in a record's bytes; `now_ms` is epoch milliseconds.

        Raises `RefusedEvent` with the contract's reason; its detail names the field first.
        """
        event = self.try_fast(value, now_ms)
        return event if event is not None else self._carefully(value, now_ms)

    def try_fast(self, value: bytes | None, now_ms: int) -> Event | None:
        """The event if the fast way is sure of it, else None. For `decode`, and for tests of the fast way alone."""
        if value is None:
            return None
        try:
            # msgspec leaves the UTF-8 of unknown fields unchecked.
            if not value.isascii():
                value.decode("utf-8")
            if len(value) >= _CANNOT_BE_TOO_DEEP and (
                len(value) > MAX_EVENT_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH
            ):
                return None
            event: Event = self._read(value)
            if self._complete(event, self._memory) and (EARLIEST_MS <= event.event_time_ms <= now_ms + MAX_AHEAD_MS):
                return event
        except (msgspec.MsgspecError, Unsure, ValueError, RecursionError):
            pass
        return None

    def _carefully(self, value: bytes | None, now_ms: int) -> Event:
        model = judge(self._kind, value, now_ms=now_ms, currencies=self._currencies)
        return from_model(model, self._currencies)
