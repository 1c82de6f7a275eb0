"""The two judges side by side, in a form that compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from schemas.events import judge
from schemas.events.examples import EXAMPLES
from services.common.decode import Decoder, Event
from services.common.decode.careful import from_model
from services.common.decode.fast import Decode, fast
from services.common.errors import RefusedEvent

NOW_MS: Final = 1_794_400_000_000
"""2026-11-11T12:26:40Z, half an hour after the examples."""

CURRENCIES: Final[Mapping[str, Decimal]] = {
    "CNY": Decimal(1),
    "USD": Decimal("7.1"),
    "JPY": Decimal("0.047"),
    "KWD": Decimal("23.456789"),
    "BTC": Decimal(700_000),
}

KINDS: Final = tuple(EXAMPLES)
NAMES: Final = [(kind, name) for kind, events in EXAMPLES.items() for name in events]

Visible = dict[str, Any]
"""What ingest sees of an accepted event."""


def visible(event: Event) -> Visible:
    """The event without what the decoder keeps to itself, and with its type."""
    fields = msgspec.structs.asdict(event)
    return {"kind": type(event).__name__} | {
        name: field for name, field in fields.items() if not name.startswith("sent_")
    }


def by_reference(kind: str, value: bytes | None, now_ms: int = NOW_MS) -> Visible | RefusedEvent:
    """The reference's verdict."""
    try:
        return visible(from_model(judge(kind, value, now_ms=now_ms, currencies=CURRENCIES), CURRENCIES))
    except RefusedEvent as refusal:
        return refusal


def by_decoder(decoder: Decoder, value: bytes | None, now_ms: int = NOW_MS) -> Visible | RefusedEvent:
    """The verdict of the decoder that ingest uses."""
    try:
        return visible(decoder.decode(value, now_ms))
    except RefusedEvent as refusal:
        return refusal


def fast_alone(kind: str) -> Decode[Event | None]:
    """The fast way of `kind`, which answers None where it would have asked the reference."""
    return fast(kind, CURRENCIES, otherwise=lambda value, now_ms: None)


def example(kind: str, name: str | None = None, /, **changes: object) -> dict[str, Any]:
    """A good event of `kind` (the first, unless named) with some fields changed; `...` takes a field away."""
    event = EXAMPLES[kind][name or next(iter(EXAMPLES[kind]))] | changes
    return {key: field for key, field in event.items() if field is not ...}


def encode(document: object) -> bytes:
    """The document as most producers send it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
