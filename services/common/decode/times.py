"""Event times to epoch milliseconds, with a memory: events of one second share most of their text."""

from __future__ import annotations

import re
from typing import Final

from schemas.events.times import parse_rfc3339

_MEMORY: Final = 4096
_HEAD_LENGTH: Final = len("2026-11-11T20:00:00")
_SOME_HEAD: Final = "2000-01-01T00:00:00"
_SOME_HEAD_MS: Final = parse_rfc3339(_SOME_HEAD + "Z")
_LONG_FRACTION: Final = re.compile(r"(\.[0-9]{3})[0-9]+(.*)", re.DOTALL)


class TimeMemory:
    """Parses RFC 3339 like `parse_rfc3339`, remembering the two halves of the text.

    The head is the text up to the second, the tail is fraction and offset; each half holds at most 4,096 texts and
    is forgotten when full.
    """

    __slots__ = ("heads", "tails")

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.tails: dict[str, int] = {}

    def parse(self, text: str) -> int:
        """Epoch milliseconds; raises `ValueError` when `text` is no RFC 3339 time with offset."""
        head = self.heads.get(text[:_HEAD_LENGTH])
        if head is None:
            head = self._learn_head(text[:_HEAD_LENGTH])
        tail = self.tails.get(text[_HEAD_LENGTH:])
        if tail is None:
            tail = self._learn_tail(text[_HEAD_LENGTH:])
        return head + tail

    def _learn_head(self, head: str) -> int:
        milliseconds = parse_rfc3339(head + "Z")
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
        milliseconds = parse_rfc3339(_SOME_HEAD + tail) - _SOME_HEAD_MS
        if len(self.tails) >= _MEMORY:
            self.tails.clear()
        self.tails[tail] = milliseconds
        return milliseconds
