"""Whether the tables hold what the ledger says that each block brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.audit.ranges import Recorded
from services.audit.report import Check, Problem
from services.common.clock import to_datetime
from services.common.tabular import time_text


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one topic-partition and one arrival that a table really holds: how many, first and last offset."""

    rows: int
    first: int
    last: int


NOTHING = Held(0, 0, 0)


def compare_rows(where: str, block: Recorded, held: Held) -> Iterator[Problem]:
    """The block's rows in its event table."""
    yield from _compare(Check.ROWS, where, "rows", block, block.rows, held)


def compare_letters(where: str, block: Recorded, held: Held) -> Iterator[Problem]:
    """The block's rows among the dead letters."""
    yield from _compare(Check.DEAD_LETTERS, where, "dead letters", block, block.refusals, held)


def _compare(check: Check, where: str, what: str, block: Recorded, expected: int, held: Held) -> Iterator[Problem]:
    name = f"the block {block.start} to {block.end} of {moment_text(block.opened_at)}"
    if held.rows != expected:
        yield Problem(check, where, f"{name} brought {expected} {what} and {held.rows} are there")
    if held.rows and not block.start <= held.first <= held.last < block.end:
        yield Problem(
            check, where, f"{name} has {what} of the offsets {held.first} to {held.last}, which it does not hold"
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """What is known of one topic-partition beside its blocks.

    `head` is the arrival of its latest block in the ledger, None without any; `begun` the arrival of the first block
    of the whole ledger. `next_offset` is how far ingest said it had come, at `said_at`, before the ledger was read.
    """

    head: int | None
    begun: int
    next_offset: int = 0
    said_at: int = 0


def unrecorded(where: str, what: str, left: Mapping[int, Held], claims: Claims) -> Iterator[Problem | str]:
    """Judges arrivals that belong to no block of the ledger; a text is a note.

    Blocks of a partition are written one after the other and entered when they are in. So what arrived before the
    latest entry should have had its own; what arrived later is being written, unless ingest said that it is done.
    """
    for arrived, held in sorted(left.items()):
        name = f"{held.rows} {what} that arrived at {moment_text(arrived)} (offsets {held.first} to {held.last})"
        if arrived < claims.begun:
            yield f"{where}: {what} from before the ledger began are not audited"
        elif (claims.head is not None and arrived <= claims.head) or (
            arrived < claims.said_at and held.last < claims.next_offset
        ):
            yield Problem(Check.UNRECORDED, where, f"{name} belong to no block of the ledger")
        else:
            yield f"{where}: in flight: {name}"


def moment_text(ms: int) -> str:
    """An arrival as people read it."""
    return time_text(to_datetime(ms))
