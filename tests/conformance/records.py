"""What is sent: bytes with a key, and what the contract says will become of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, Final

KINDS: Final = ("traffic", "orders", "coupons", "inventory", "spend")
KEY_FIELD: Final = dict(zip(KINDS, ("user_id", "order_id", "coupon_id", "item_id", "channel"), strict=True))
MAX_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Record:
    """One Kafka record for the topic of a kind."""

    kind: str
    key: bytes | None
    value: bytes | None
    reason: str | None = None
    """Why it is refused; None when it is accepted (and counts, unless its id came before)."""


def record(
    kind: str, event: dict[str, Any], reason: str | None = None, *, key: str | None = None, rng: Random | None = None
) -> Record:
    """The event under the key that the contract asks for, unless another is given; `rng` varies how it is written."""
    text = key if key is not None else str(event.get(KEY_FIELD[kind]) or "unknown")
    return Record(kind, text.encode(), written(event, rng).encode(), reason)


def written(event: dict[str, Any], rng: Random | None = None) -> str:
    """The event as JSON; a string `#1.50#` becomes the number 1.50 as it stands there."""
    style = rng.random() if rng else 1.0
    text = json.dumps(event, ensure_ascii=style < 0.5, indent=1 if style < 0.02 else None)
    text = re.sub(r'"#([-+.eE\d]+)#"', r"\1", text)
    if style < 0.1:
        # Names may be escaped, and space may stand around.
        text = "\r\n\t " + text.replace('"event_id"', '"event\\u005fid"').replace("/", "\\/") + "\n"
    return text


OFFSETS: Final = (480, 480, 480, 0, -330, -720, 345, 840, 570)


def stamp(rng: Random, ms: int) -> str:
    """A moment in one of the many ways of RFC 3339, often finer than the millisecond that counts."""
    minutes = rng.choice(OFFSETS)
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(
        timezone(timedelta(minutes=minutes))
    )
    sign, size = ("-" if minutes < 0 else "+"), abs(minutes)
    zone = f"{sign}{size // 60:02}:{size % 60:02}" if minutes else rng.choice(("Z", "+00:00", "-00:00", "z"))
    fraction = f".{ms % 1000:03}"
    if rng.random() < 0.4:
        fraction += rng.choice(("9", "9999", "4999", "123456", "000", "5"))
    elif ms % 1000 == 0 and rng.random() < 0.7:
        fraction = rng.choice(("", "", ".0", ".000000"))
    elif ms % 100 == 0:
        fraction = f".{ms % 1000 // 100}"
    return f"{local:%Y-%m-%d}{'t' if zone == 'z' else 'T'}{local:%H:%M:%S}{fraction}{zone}"


def epoch_ms(text: str) -> int:
    """Milliseconds since the epoch of a time with an offset."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
