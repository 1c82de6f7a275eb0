"""When events arrive: some twice, some later than they happened."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from services.simulator.conditions import Conditions
from services.simulator.timeline import Record

_REPEAT_MS = 2_000


class Arrival(NamedTuple):
    """A record and the moment at which it is to be sent, epoch milliseconds."""

    at_ms: int
    record: Record


def arrivals(
    records: Iterable[Record],
    *,
    seed: int,
    duplicates: float = 0.0,
    disorder_ms: int = 0,
    silences: Sequence[tuple[int, int]] = (),
    delay: Callable[[Record], int] | None = None,
) -> Iterator[Arrival]:
    """The records in the order in which they are sent.

    Each is late by up to `disorder_ms`; a share of them, `duplicates`, comes once more within two seconds or
    the disorder, the same in every byte. `delay` is asked how many ms a record is late beyond that, when its second
    is generated. Nothing is sent within one of the `silences`, which may grow
    while this runs: what would fall into one comes just before it.
    """
    if not duplicates and not disorder_ms and delay is None:
        yield from (Arrival(record.time_ms, record) for record in records)
        return
    rng = Random(f"arrivals/{seed}")
    waiting: list[tuple[int, int, Record]] = []
    sequence = 0
    for record in records:
        # Later records arrive no earlier than this one happened. A silence is known by the time that anything
        # that would fall into it is taken from here, since the next record happens after it.
        while waiting and waiting[0][0] <= record.time_ms:
            yield _outside(heapq.heappop(waiting), silences)
        late = [rng.randrange(disorder_ms + 1) + (delay(record) if delay else 0)]
        if rng.random() < duplicates:
            late.append(late[0] + rng.randrange(max(_REPEAT_MS, disorder_ms)))
        for late_ms in late:
            sequence += 1
            heapq.heappush(waiting, (record.time_ms + late_ms, sequence, record))
    while waiting:
        yield _outside(heapq.heappop(waiting), silences)


def lateness(conditions: Conditions, seed: int) -> Callable[[Record], int]:
    """How many ms a record is late as conditions are when it happens."""
    rng = Random(f"late/{seed}")

    def delay(_: Record) -> int:
        if conditions.late is None:
            return 0
        trouble, least, most = conditions.late
        return rng.randrange(least, most) if trouble.strikes() else 0

    return delay


def _outside(due: tuple[int, int, Record], silences: Sequence[tuple[int, int]]) -> Arrival:
    at_ms, _, record = due
    for start, end in silences:
        if start <= at_ms < end:
            return Arrival(start - 1, record)
    return Arrival(at_ms, record)
