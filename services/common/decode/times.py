"""Event times to epoch milliseconds, with a memory: the texts of many events share their halves."""

from __future__ import annotations

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
# Where a fraction is cut off: after the point and three digits.
_CUT: Final = 4


class TimeMemory:
    """Parses what `parse_rfc3339` parses, as long as it is not before 2000.

    `heads` and `tails` map a half of a text to its milliseconds, and `heads[text[HEAD]] + tails[text[TAIL]]` is the
    time where both are known. Each holds at most 4,096 texts and is emptied when full.
    """

    __slots__ = ("_rests", "heads", "tails")

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.tails: dict[str, int] = {}
        # What follows the third digit of longer fractions.
        self._rests: dict[str, int] = {}

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
        return _remember(self.heads, head, milliseconds)

    def _learn_tail(self, tail: str) -> int:
        if not (tail[:1] == "." and len(tail) > _CUT and tail[1 : _CUT + 1].isdigit()):
            return _remember(self.tails, tail, parse_rfc3339(_SOME_HEAD + tail) - EARLIEST_MS)
        # Microseconds: whole, they would fill the memory with a million tails that mean a thousand.
        fraction = tail[:_CUT] + "Z"
        milliseconds = self.tails.get(fraction)
        if milliseconds is None:
            milliseconds = self._learn_tail(fraction)
        offset = self._rests.get(tail[_CUT:])
        if offset is None:
            rest = tail[_CUT:]
            offset = _remember(self._rests, rest, parse_rfc3339(f"{_SOME_HEAD}.000{rest}") - EARLIEST_MS)
        return milliseconds + offset


def _remember(memory: dict[str, int], text: str, milliseconds: int) -> int:
    if len(memory) >= _MEMORY:
        memory.clear()
    memory[text] = milliseconds
    return milliseconds
