"""Which partitions are fetched from, so that memory is bounded whatever waits in Kafka. Decided without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

Partition = TypeVar("Partition")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a partition that would take more records holds of them already, in bytes.

    `replays` says that it builds a block again and can write none of it before the block is whole.
    """

    buffered: int
    replays: bool = False


class Pressure:
    """Keeps the bytes that are fetched and not yet in the tables within `limit`, but for one poll and one replay.

    Three quarters are for everybody. The last quarter is for partitions that hold nothing, a run of records for each
    (`paused` says that a poll is to bring one run only): others may be stuck with what they hold, before a table that
    takes no rows, and must not keep these from going on. So a quarter of the limit should be more than a poll and a run
    for each partition that may be stuck.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.paused = False

    def wanted(self, buffered: int, demands: Mapping[Partition, Demand]) -> list[Partition]:
        """The partitions to poll when `buffered` bytes are held in all, by these and by others."""
        self.paused = buffered > (self._limit // 2 if self.paused else self._limit - self._limit // 4)
        begins = buffered <= self._limit
        replays = [partition for partition, demand in demands.items() if demand.replays]
        # Several half-built blocks could fill all there is, and none of them would ever be whole.
        first = max(replays, key=lambda partition: demands[partition].buffered, default=None)
        return [
            partition
            for partition, demand in demands.items()
            if partition == first or (not self.paused if demand.buffered else begins)
        ]
