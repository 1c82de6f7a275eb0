"""The hour of a campaign that incidents are held against: what is normal in it, and whether it is still written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from services.alerts.baseline import Baseline, learn
from services.alerts.conversion import Conversion, learn_conversion
from services.alerts.series import Mask, Series, zeros

HISTORY_SECONDS = 3600
HISTORY_GAP_SECONDS = 120
"""The last two minutes belong to no history: an incident must not become what it is held against."""
STEP_SECONDS = 15
LATELY_SECONDS = 900
"""Paid orders of the last quarter of the hour may yet be refunded: no share of refunds is taken from them."""
REFRESH_MS = 3_000

_WRITING_MS = 7_000
_WRITING_SHARE = 0.005
_WRITING_LEAST = 20
_LATELY_SECONDS = 600
_STEADY_SHARE = 0.5


class Orders(NamedTuple):
    """Orders of an item that were paid, and that were refunded, in one span of time."""

    paid: int
    refunded: int


@dataclass(frozen=True)
class History:
    """One campaign's hour in buckets.

    `channels` is traffic by channel, `paid` the paid orders by channel, `whole` every event of the pulse (traffic and
    orders), `occupied` in how many seconds of a bucket anything happened, `refunds` the refunds by item; `items` counts
    the items that had orders, and `before` holds the orders of each in the hour but for its last quarter. Until
    `writing_until` (epoch milliseconds) events of long ago have been arriving of late, so that it is not yet what it
    will be.
    """

    whole: Series
    occupied: Series
    channels: Mapping[str, Series] = field(default_factory=dict)
    refunds: Mapping[str, int] = field(default_factory=dict)
    items: int = 0
    writing_until: int = 0
    paid: Mapping[str, Series] = field(default_factory=dict)
    before: Mapping[str, Orders] = field(default_factory=dict)

    @cached_property
    def before_all(self) -> Orders:
        """`before` over all items."""
        return Orders(sum(one.paid for one in self.before.values()), sum(one.refunded for one in self.before.values()))

    @cached_property
    def covered(self) -> Mask:
        """Which buckets hold data at all.

        A bucket without any event of a campaign that always has some is missing, not zero: before the first event,
        in a silence, between an import and the live part.
        """
        counts = self.occupied.counts
        active = np.flatnonzero(counts)
        covered = np.zeros(len(counts), dtype=np.bool_)
        if len(active) == 0:
            return covered
        covered[active[0] : active[-1] + 1] = True
        if float(np.median(counts[active])) >= _STEADY_SHARE * self.occupied.step:
            covered &= counts > 0
        return covered

    @property
    def known_seconds(self) -> int:
        """How much of the hour holds data."""
        return int(self.covered.sum()) * self.whole.step

    @cached_property
    def normal(self) -> Mapping[str, Baseline]:
        """What is normal for each channel that has had traffic."""
        learnt = {channel: learn(series, self.covered) for channel, series in self.channels.items()}
        return {channel: baseline for channel, baseline in learnt.items() if baseline is not None}

    def normal_over(self, start: int, end: int) -> Mapping[str, Baseline]:
        """What is normal for each channel in the part `[start, end)` of the hour, whole buckets, in seconds."""
        known = self._parts.get((start, end))
        if known is None:
            first = max(0, -(-(start - self.whole.start) // self.whole.step))
            last = max(first, (end - self.whole.start) // self.whole.step)
            begin = self.whole.start + first * self.whole.step
            covered = self.covered[first:last]
            learnt = {
                channel: learn(Series(begin, series.step, series.counts[first:last]), covered)
                for channel, series in self.channels.items()
            }
            known = {channel: baseline for channel, baseline in learnt.items() if baseline is not None}
            self._parts[start, end] = known
        return known

    @cached_property
    def _parts(self) -> dict[tuple[int, int], Mapping[str, Baseline]]:
        return {}

    def conversion_over(self, start: int, end: int) -> Mapping[str, Conversion]:
        """What share of each channel's traffic normally pays, in the part `[start, end)` of the hour, in seconds."""
        known = self._conversions.get((start, end))
        if known is None:
            learnt = {
                channel: learn_conversion(series, self.paid.get(channel), self.covered, start, end)
                for channel, series in self.channels.items()
            }
            known = {channel: conversion for channel, conversion in learnt.items() if conversion is not None}
            self._conversions[start, end] = known
        return known

    @cached_property
    def _conversions(self) -> dict[tuple[int, int], Mapping[str, Conversion]]:
        return {}

    @cached_property
    def normal_whole(self) -> Baseline | None:
        """What is normal for the campaign as a whole; None without events."""
        return learn(self.whole, self.covered)

    @cached_property
    def occupancy(self) -> float | None:
        """The share of seconds in which anything happens, the lower of the hour and its last ten minutes; None when
        fewer than ten minutes are known."""
        step = self.occupied.step
        known = self.occupied.counts[self.covered]
        if len(known) * step < _LATELY_SECONDS:
            return None
        lately = known[-(_LATELY_SECONDS // step) :]
        return float(min(known.mean(), lately.mean()) / step)


def empty_series(start: int) -> Series:
    """An hour of nothing that begins at `start`, in seconds since the epoch."""
    return zeros(start, STEP_SECONDS, HISTORY_SECONDS // STEP_SECONDS)


def history_span(now: int) -> tuple[int, int]:
    """The hour's start and end at `now` (epoch milliseconds), in seconds.

    Both lie on whole buckets of the epoch, so that two reads can be compared bucket by bucket.
    """
    end = (now // 1000 - HISTORY_GAP_SECONDS) // STEP_SECONDS * STEP_SECONDS
    return end - HISTORY_SECONDS, end


def writing_until(before: History | None, whole: Series, now: int) -> int:
    """Until when the history counts as being written: it has grown, since the last read, where both reads look."""
    if before is None:
        return now + REFRESH_MS
    start, end = max(before.whole.start, whole.start), min(before.whole.end, whole.end)
    grown = int(whole.between(start, end).sum() - before.whole.between(start, end).sum())
    if grown > max(_WRITING_LEAST, _WRITING_SHARE * int(whole.counts.sum())):
        return now + _WRITING_MS
    return before.writing_until
