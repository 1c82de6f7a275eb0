"""One refused record, as the table `dead_letters` holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from services.common.errors import InvalidRequest
from services.common.letters.place import Place

_MOMENT: Final = re.compile(r"[0-9]{1,13}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused record without its value. Moments are epoch milliseconds."""

    place: Place
    received_at: int
    """When ingest read the record. Two letters of one place are of two lives of the topic."""
    reason: str
    detail: str
    key: str | None
    """The record's key as text; bytes that are not UTF-8 are written as `\\xNN`."""
    key_bytes: bytes | None
    value_bytes: int
    """How long the value is."""
    redriven_at: int | None = None
    redriven_to: Place | None = None

    @property
    def identity(self) -> tuple[Place, int]:
        """What no two letters share."""
        return self.place, self.received_at


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters; None stands for any. The times are of receipt, in epoch milliseconds, half-open.

    `campaigns` is RE2 over the `campaign_id` that a record's own text gives; empty for all, and for those without one.
    """

    reason: str | None = None
    topic: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    redriven: bool | None = None
    campaigns: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the next begins with the letter after this one."""

    received_at: int
    place: Place

    def __str__(self) -> str:
        return f"{self.received_at}/{self.place}"

    @classmethod
    def of(cls, letter: Letter) -> Cursor:
        """The cursor after a letter."""
        return cls(letter.received_at, letter.place)

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises `InvalidRequest` for anything but what a page gave out."""
        moment, _, place = text.partition("/")
        if not _MOMENT.fullmatch(moment):
            raise InvalidRequest("after", f"{text!r} is not what a page gave as its end")
        return cls(int(moment), Place.parse(place))
