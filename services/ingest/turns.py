"""Whose records are fetched while many partitions have a backlog: a few at a time, each until its block is full.

Fetched from evenly, a dozen partitions fill a dozen blocks slowly, and what is written is many small blocks: rollups
with a state for each, and merges for hours. Which partition is read first does not matter meanwhile, since the numbers
are complete only when the last one is.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

Partition = TypeVar("Partition", bound=Hashable)

PATIENCE_MS = 1_000
"""Who brings nothing for this long loses his turn: his broker may be down."""


class Turns(Generic[Partition]):
    """Lets at most `at_once` partitions that are behind be fetched from.

    Who has filled a block, or brings nothing, goes to the end. Times are epoch milliseconds.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._last: dict[Partition, int] = {}
        self._count = 0
        self._active: dict[Partition, int] = {}

    def ended(self, partition: Partition) -> None:
        """A block of the partition was sealed."""
        self._count += 1
        self._last[partition] = self._count
        self._active.pop(partition, None)

    def brought(self, partition: Partition, now: int) -> None:
        """Records of the partition came."""
        if partition in self._active:
            self._active[partition] = now

    def waiting(self, behind: Collection[Partition], now: int) -> set[Partition]:
        """Those of the partitions that are behind, and would take records, whose turn it is not."""
        for partition, since in list(self._active.items()):
            if not 0 <= now - since < PATIENCE_MS:
                self.ended(partition)
        ranked = sorted(behind, key=lambda partition: self._last.get(partition, 0))
        self._active = {partition: self._active.get(partition, now) for partition in ranked[: self._at_once]}
        return set(ranked[self._at_once :])
