"""Whether the recorded ranges of one topic-partition make one unbroken line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from services.audit.report import Check, Problem


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the ledger: the offsets `[start, end)`, `opened_at` in epoch milliseconds."""

    incarnation: str
    opened_at: int
    start: int
    end: int
    records: int
    rows: int
    refusals: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """`block` begins before the one before it ended: what of it lies before `until` was read for a second time.

    Whether that is wrong the tables say: a block that was read again and brought nothing new is as it should be.
    """

    block: Recorded
    until: int


@dataclass(frozen=True, slots=True)
class NewLife:
    """The log began a new life: the topic was made anew, or its offsets or records were lost."""

    block: Recorded
    ended: int
    """Where the life before it ended."""


Finding: TypeAlias = Problem | Overlap | NewLife


class Line:
    """Follows the blocks of one topic-partition in the order in which they were opened."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._last: Recorded | None = None
        self._reach = 0

    def begin(self, before: Recorded) -> None:
        """Takes the last block before the period, from which the first in it has to go on."""
        self._last = before
        self._reach = before.end

    def follow(self, blocks: Iterable[Recorded]) -> Iterator[Finding]:
        """What is to be said of the next blocks; may be called again with those after them."""
        for block in blocks:
            yield from self._itself(block)
            last = self._last
            if last is not None and block.opened_at <= last.opened_at:
                yield self._problem(
                    Check.RANGES,
                    f"the block {_range(block)} stands in the ledger twice"
                    if block == last
                    else f"the blocks {_range(last)} and {_range(block)} were opened at the same moment",
                )
            elif last is not None:
                yield from self._after(last, block)
            same_life = last is not None and last.incarnation == block.incarnation
            self._reach = max(self._reach, block.end) if same_life else block.end
            self._last = block

    def _itself(self, block: Recorded) -> Iterator[Finding]:
        if block.end <= block.start:
            yield self._problem(Check.RANGES, f"the block {_range(block)} has no offsets")
        elif block.records > block.end - block.start:
            yield self._problem(
                Check.COUNTS, f"the block {_range(block)} claims {block.records} records, more than its offsets"
            )
        if block.records != block.rows + block.refusals + block.duplicates:
            yield self._problem(
                Check.COUNTS,
                f"the block {_range(block)} read {block.records} records and accounts for {block.rows} rows + "
                f"{block.refusals} refusals + {block.duplicates} duplicates",
            )

    def _after(self, last: Recorded, block: Recorded) -> Iterator[Finding]:
        same_life = last.incarnation == block.incarnation
        if block.start > self._reach:
            why = "" if same_life else ", where the log begins a new life"
            yield self._problem(
                Check.RANGES,
                f"no block holds the {block.start - self._reach} offsets {self._reach} to {block.start}{why}",
            )
        elif same_life and block.start < self._reach:
            yield Overlap(block, min(block.end, self._reach))
        if not same_life:
            yield NewLife(block, self._reach)

    def _problem(self, check: Check, detail: str) -> Problem:
        return Problem(check, self._where, detail)


def _range(block: Recorded) -> str:
    return f"{block.start} to {block.end}"
