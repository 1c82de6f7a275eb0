"""The fast way from bytes to event. It accepts what it is surely right to accept and passes on all else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from schemas.events.limits import MAX_AHEAD_MS, MAX_DEPTH, MAX_EVENT_BYTES
from services.common.decode.amounts import Unsure
from services.common.decode.complete import COMPLETE
from services.common.decode.events import (
    CouponEvent,
    Event,
    InventoryEvent,
    OrderEvent,
    SpendEvent,
    TrafficEvent,
)
from services.common.decode.memory import Memory
from services.common.decode.times import HEAD, TAIL

T = TypeVar("T")
Decode: TypeAlias = Callable[[bytes | None, int], T]
"""Takes a record's bytes and now in epoch milliseconds."""

_STRUCTS: Final[Mapping[str, Any]] = {
    "orders": OrderEvent,
    "coupons": CouponEvent,
    "inventory": InventoryEvent,
    "spend": SpendEvent,
}
# Fewer bytes than this cannot open and close more levels than are allowed.
_MAYBE_TOO_DEEP: Final = 2 * MAX_DEPTH
_UNSURE: Final = (Unsure, msgspec.MsgspecError, ValueError, RecursionError)


def fast(kind: str, currencies: Mapping[str, Decimal], otherwise: Decode[T]) -> Decode[Event | T]:
    """A function that decodes records of `kind`, and calls `otherwise` with those it is not sure of."""
    memory = Memory(currencies)
    return _traffic(memory, otherwise) if kind == "traffic" else _other(kind, memory, otherwise)


def _suspicious(value: bytes) -> bool:
    return len(value) > MAX_EVENT_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH


def _other(kind: str, memory: Memory, otherwise: Decode[T]) -> Decode[Event | T]:
    # An untyped number with a point arrives as its text: amounts never go through a float.
    read = msgspec.json.Decoder(_STRUCTS[kind], float_hook=str).decode
    complete = COMPLETE[kind]

    def decode(value: bytes | None, now_ms: int) -> Event | T:
        if value is None:
            return otherwise(value, now_ms)
        try:
            # msgspec leaves the UTF-8 of unknown fields unchecked.
            if not value.isascii():
                value.decode("utf-8")
            if len(value) < _MAYBE_TOO_DEEP or not _suspicious(value):
                event: Event = read(value)
                if complete(event, memory) and event.event_time_ms - now_ms <= MAX_AHEAD_MS:
                    return event
        except _UNSURE:
            pass
        return otherwise(value, now_ms)

    return decode


def _traffic(memory: Memory, otherwise: Decode[T]) -> Decode[Event | T]:
    # The same as `_other` and `complete` together, written out flat: most events are traffic, and each call saved is
    # about a fifteenth of the whole.
    read: Callable[[bytes], Any] = msgspec.json.Decoder(TrafficEvent).decode
    names, learn_name = memory.names.texts, memory.names.learn
    campaigns, learn_campaign = memory.campaigns.texts, memory.campaigns.learn
    regions, learn_region = memory.regions.texts, memory.regions.learn
    known_head, known_tail, parse_time = memory.times.heads.get, memory.times.tails.get, memory.times.parse

    def decode(value: bytes | None, now_ms: int) -> Event | T:  # noqa: PLR0912 - flat on purpose
        if value is None:
            return otherwise(value, now_ms)
        try:
            if not value.isascii():
                value.decode("utf-8")
            if len(value) >= _MAYBE_TOO_DEEP and _suspicious(value):
                raise Unsure
            event = read(value)
            if event.event_name not in names and not learn_name(event.event_name):
                raise Unsure
            if event.campaign_id not in campaigns and not learn_campaign(event.campaign_id):
                raise Unsure
            if event.channel is None:
                event.channel = "unknown"
            if event.region not in regions:
                if event.region is None:
                    event.region = "unknown"
                elif not learn_region(event.region):
                    raise Unsure
            if not event.item_id:
                event.item_id = "unknown"
            if not event.item_category:
                event.item_category = "unknown"
            if not event.utm_source:
                event.utm_source = "unknown"
            if not event.device_category:
                event.device_category = "unknown"
            if event.session_id is None:
                event.session_id = ""
            if event.page_location is None:
                event.page_location = ""
            if event.utm_medium is None:
                event.utm_medium = ""
            if event.utm_campaign is None:
                event.utm_campaign = ""
            if event.experiment is None:
                event.experiment = ""
            if event.variant is None:
                event.variant = ""
            if event.engagement_time_msec is None:
                event.engagement_time_msec = 0
            text = event.sent_time
            head, tail = known_head(text[HEAD]), known_tail(text[TAIL])
            time = parse_time(text) if head is None or tail is None else head + tail
            if time <= now_ms or time - now_ms <= MAX_AHEAD_MS:
                event.event_time_ms = time
                done: TrafficEvent = event
                return done
        except _UNSURE:
            pass
        return otherwise(value, now_ms)

    return decode
