"""From the bytes of a Kafka record to an event, at the speed of ingest."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from schemas.events.judge import judge
from services.common.decode.careful import from_model
from services.common.decode.events import Event
from services.common.decode.fast import Decode, fast
from services.common.decode.foresight import Foresight


class Decoder:
    """Decodes the records of one kind with the verdict of `schemas.events.judge`, several times faster.

    The fast way accepts only what it is sure of, and `Foresight` refuses only what it is sure of. All else is left to
    the reference, whose wording of why both use. Not safe for use by two threads at once.
    """

    __slots__ = ("_currencies", "_foresight", "_kind", "decode")

    decode: Decode[Event]
    """`decode(value, now_ms)`: the event in a record's bytes; `now_ms` is epoch milliseconds.

    Raises `RefusedEvent` with the contract's reason; its detail names the field first.
    """

    def __init__(self, kind: str, currencies: Mapping[str, Decimal]) -> None:
        """`kind` is one of `EVENT_KINDS`; `currencies` maps each accepted currency to its rate into the reporting
        currency, whose own rate is 1.
        """
        self._kind = kind
        self._currencies = dict(currencies)
        self._foresight = Foresight(kind, self._currencies)
        self.decode = fast(kind, self._currencies, otherwise=self._carefully)

    def _carefully(self, value: bytes | None, now_ms: int) -> Event:
        self._foresight.check(value, now_ms)
        model = judge(self._kind, value, now_ms=now_ms, currencies=self._currencies)
        return from_model(model, self._currencies)
