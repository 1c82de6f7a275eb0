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
    """The members' rates from the moment when the last one got its partitions for good, each until it ran out.

    Whoever had partitions before gave them up just then, with what it had fetched: so nobody has a head start. What
    the machine did is taken until the first one ran out. Raises `NotEnough` when a member wrote nothing in that time.
    """
    since = max(_assigned_at(samples) for samples in members)
    ends = [_last_growth(samples) for samples in members]
    until = min(ends)
    if until <= since:
        raise NotEnough("a member had nothing left to do when all were there")
    rates, spent = [], []
    for samples, end in zip(members, ends, strict=True):
        rates.append((samples[-1].handled - _handled_at(samples, since)) / (end - since))
        spent.append((_cpu_at(samples, until) - _cpu_at(samples, since)) / (until - since))
    seconds, rate = until - since, sum(rates)
    first, last = _use(usage, since), _use(usage, until)
    broker = last.broker - first.broker
    others = last.cores - first.cores - sum(spent) * seconds
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
    return max((after.at for before, after in pairwise(samples) if after.assigned and not before.assigned), default=0.0)


def _last_growth(samples: Sequence[Sample]) -> float:
    grown = [after.at for before, after in pairwise(samples) if after.handled > before.handled]
    if not grown:
        raise NotEnough("a member wrote no block")
    return grown[-1]


def _handled_at(samples: Sequence[Sample], at: float) -> int:
    return max(sample.handled for sample in samples if sample.at <= at)


def _cpu_at(samples: Sequence[Sample], at: float) -> float:
    return _between([(sample.at, sample.cpu) for sample in samples], at)


def _use(usage: Sequence[Usage], at: float) -> Usage:
    return Usage(
        at=at,
        broker=_between([(each.at, each.broker) for each in usage], at),
        cores=_between([(each.at, each.cores) for each in usage], at),
    )


def _between(points: Sequence[tuple[float, float]], at: float) -> float:
    """What had been used up to a moment, in proportion between two looks."""
    for (before, low), (after, high) in pairwise(points):
        if before <= at <= after:
            return low + (high - low) * (at - before) / (after - before)
    raise NotEnough("not looked for long enough")
