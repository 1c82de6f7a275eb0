"""What one, and what several ingest processes of a group carried, from what they and the machine said meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """What one member said of itself; `at` is on the clock that all processes of the machine share."""

    at: float
    assigned: bool
    handled: int
    cpu: float


class Usage(msgspec.Struct, frozen=True):
    """Seconds of CPU since some moment: the broker's own, and all that ran on the members' cores."""

    at: float
    broker: float
    cores: float


@dataclass(frozen=True, slots=True)
class Share:
    """Figures of one group of processes, each on a core of its own, while all of them were at work."""

    seconds: float
    events_per_second: float
    cpu_us_per_event: float
    broker_cpu_us_per_event: float
    lost_core_seconds: float
    """What the broker took of the members' cores: no more than its CPU, and no more than was busy there for others."""

    cores: int

    @property
    def events_per_core_second(self) -> float:
        """Events a second of a core that was there for ingest."""
        return self.events_per_second * self.seconds / (self.cores * self.seconds - self.lost_core_seconds)


class NotEnough(ValueError):
    """The backlog was too small for a figure."""


def share(members: Sequence[Sequence[Sample]], usage: Sequence[Usage]) -> Share:
    """From the moment when the last member got its partitions for good until the first one ran out of records.

    A block counts when it is in the tables, so each member's rate is taken from one block to another. Raises
    `NotEnough` when a member wrote no two blocks in that time.
    """
    since = max(_assigned_at(samples) for samples in members)
    until = min(_last_growth(samples) for samples in members)
    rates, spent = [], []
    for samples in members:
        inside = [each for each in _growth(samples) if since <= each.at <= until]
        if len(inside) < 2:
            raise NotEnough(f"a member wrote {len(inside)} blocks while all were at work")
        first, last = inside[0], inside[-1]
        rates.append((last.handled - first.handled) / (last.at - first.at))
        spent.append((last.cpu - first.cpu) / (last.at - first.at))
    first_use, last_use = _use(usage, since), _use(usage, until)
    seconds, rate = until - since, sum(rates)
    broker = last_use.broker - first_use.broker
    others = last_use.cores - first_use.cores - sum(spent) * seconds
    return Share(
        seconds=seconds,
        events_per_second=rate,
        cpu_us_per_event=sum(spent) / rate * 1e6,
        broker_cpu_us_per_event=broker / (rate * seconds) * 1e6,
        lost_core_seconds=min(broker, max(0.0, others)),
        cores=len(members),
    )


def speed_up(one: Share, several: Share) -> float:
    """How many times as many events a second."""
    return several.events_per_second / one.events_per_second


def discounted(one: Share, several: Share) -> float:
    """The same for a broker elsewhere: what a core-second for ingest carried, times the cores, against one's."""
    return several.cores * several.events_per_core_second / (one.cores * one.events_per_core_second)


def _assigned_at(samples: Sequence[Sample]) -> float:
    at = samples[0].at
    for before, after in pairwise(samples):
        if after.assigned and not before.assigned:
            at = after.at
    return at


def _growth(samples: Sequence[Sample]) -> list[Sample]:
    return [after for before, after in pairwise(samples) if after.handled > before.handled]


def _last_growth(samples: Sequence[Sample]) -> float:
    grown = _growth(samples)
    if not grown:
        raise NotEnough("a member wrote no block")
    return grown[-1].at


def _use(usage: Sequence[Usage], at: float) -> Usage:
    """What was used up to a moment, in proportion between two looks."""
    for before, after in pairwise(usage):
        if before.at <= at <= after.at:
            part = (at - before.at) / (after.at - before.at)
            return Usage(
                at=at,
                broker=before.broker + part * (after.broker - before.broker),
                cores=before.cores + part * (after.cores - before.cores),
            )
    raise NotEnough("the machine was not watched for long enough")
