"""When a block is full and when it is due."""

from __future__ import annotations

from dataclasses import dataclass

BUSY_AGE_MS = 10_000
"""A block that waits for the one before it takes records for this long at most: its events are judged against the
moment at which it was opened."""

CATCHING_UP_AGE_MS = 4_000
"""A block waits for more records for this long where a backlog of more than half a block follows: full blocks cost half
of what small ones do, in rollups and in merges."""


_WRITING_SHARE = 0.6
"""Of one writer's time, how much small blocks may take."""


class Pace:
    """How long blocks wait for more records, given what writing one costs.

    Every block costs some milliseconds, however small: parts of the table and of each rollup. With many partitions and
    few records, or on a busy machine, that would be most of what ingest does; older and so fewer blocks cost less.
    """

    def __init__(self, age_ms: int, longest_age_ms: int) -> None:
        self._least = age_ms
        self._longest = longest_age_ms
        self._write_ms = 0.0

    def wrote(self, milliseconds: float) -> None:
        """Takes how long a small block took to write."""
        self._write_ms += (milliseconds - self._write_ms) / 8

    def age_ms(self, lanes: int) -> int:
        """The age at which a block is due while `lanes` partitions receive records."""
        return max(self._least, min(self._longest, round(self._write_ms * lanes / _WRITING_SHARE)))


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """Bounds of a block: records, bytes of their values, and milliseconds since it was opened."""

    records: int
    bytes: int
    age_ms: int


@dataclass(slots=True)
class BlockSize:
    """How much a block holds, and since when.

    `opened_at` is what it is recorded with, which is later than that of any block before it. `began` is what the clock
    said, by which its age is told: after a step of the clock the two are apart, and a block must not wait for the
    clock to catch up.
    """

    opened_at: int
    began: int
    records: int = 0
    bytes: int = 0

    def room(self, limits: BlockLimits) -> int:
        """How many more records it takes; the bytes are checked between chunks, so they overshoot by one at most."""
        return 0 if self.bytes >= limits.bytes else max(0, limits.records - self.records)

    def is_due(
        self, limits: BlockLimits, now: int, age_ms: int, *, waiting_records: int = 0, waiting_bytes: int = 0
    ) -> bool:
        """It should be written as soon as the block before it is done: it is of age, or full with what waits."""
        return (
            not 0 <= now - self.began < age_ms
            or self.records + waiting_records >= limits.records
            or self.bytes + waiting_bytes >= limits.bytes
        )

    def is_closed(self, limits: BlockLimits, now: int) -> bool:
        """Nothing more should be fetched for it even while it has to wait."""
        return not self.room(limits) or not 0 <= now - self.began < max(limits.age_ms, BUSY_AGE_MS)
