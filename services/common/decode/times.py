"""Event times to epoch milliseconds, with a memory: the texts of many events share their halves."""

from __future__ import annotations

import re
from typing import Final

from schemas.events.limits import EARLIEST_MS
from schemas.events.times import parse_rfc3339
from services.common.decode.amounts import Unsure

HEAD: Final = slice(None, len("2026-11-11T20:00:00"))
"""The part of a timestamp up to the second. A constant, since to build a slice costs more than to use one."""
TAIL: Final = slice(HEAD.stop, None)
"""The rest: fraction and offset."""

_MEMORY: Final = 4096
_DAY_MS: Final = 86_400_000
_SOME_HEAD: Final = "2000-01-01T00:00:00"
_LONG_FRACTION: Final = re.compile(r"(\.[0-9]{3})[0-9]+(.*)", re.DOTALL)


class TimeMemory:
    """Parses what `parse_rfc3339` parses, as long as it is not before 2000.

    `heads` and `tails` map a half of a text to its milliseconds, and `heads[text[HEAD]] + tails[text[TAIL]]` is the
    time where both are known. Each holds at most 4,096 texts and is emptied when full.
    """

    __slots__ = ("heads", "tails")

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.tails: dict[str, int] = {}

    def parse(self, text: str) -> int:
        """Epoch milliseconds; raises `Unsure` or `ValueError` when `text` is no such time."""
        head = self.heads.get(text[HEAD])
        if head is None:
            head = self._learn_head(text[HEAD])
        tail = self.tails.get(text[TAIL])
        if tail is None:
            tail = self._learn_tail(text[TAIL])
        return head + tail

    def _learn_head(self, head: str) -> int:
        milliseconds = parse_rfc3339(head + "Z")
        # No offset reaches a whole day, so that whatever the tail, a remembered head is not before 2000.
        if milliseconds < EARLIEST_MS + _DAY_MS:
            raise Unsure
        if len(self.heads) >= _MEMORY:
            self.heads.clear()
        self.heads[head] = milliseconds
        return milliseconds

    def _learn_tail(self, tail: str) -> int:
        # Microseconds would fill the memory with a million tails that mean a thousand.
        match = _LONG_FRACTION.fullmatch(tail)
        if match is not None:
            tail = match[1] + match[2]
            known = self.tails.get(tail)
            if known is not None:
                return known
        milliseconds = parse_rfc3339(_SOME_HEAD + tail) - EARLIEST_MS
        if len(self.tails) >= _MEMORY:
            self.tails.clear()
        self.tails[tail] = milliseconds
        return milliseconds
