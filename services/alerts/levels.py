"""Which levels of a channel's traffic its past, the campaign's plan and the other channels explain at a moment.

Away from what is planned that is one level: what was normal since the plan last changed, or over the hour. Where the
plan changes (a sale opens, a phase ends) traffic may jump at once, in every channel or in one, and fall off again. So
for some minutes a channel is out of order only where nothing explains it: neither its level before the change, nor
that of the first minute after it, nor that since then, each as it was and moved as all other channels have moved.
What a festival does to all channels is thereby explained, and what happens to one at the moment of the change; what
happens to one alone later is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from services.alerts.baseline import Baseline
from services.alerts.history import HISTORY_GAP_SECONDS, STEP_SECONDS
from services.alerts.plan import Plan
from services.alerts.scene import CampaignScene
from services.alerts.series import Series

SETTLE_SECONDS = 90
"""So long after a change there is no level since it yet."""
YOUNG_SECONDS = HISTORY_GAP_SECONDS + 600
"""From so long after a change on, what is normal is what was normal since."""
LEAD_SECONDS = 120
"""So long before a change people are already coming for it."""

_LEAST_PAST_SECONDS = 300
_RISEN = 1.5
_FIRST_SECONDS = 60
_GUARD_SECONDS = 45
"""What happened so lately is no measure of what is normal: it may be the incident."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a moment stands in the plan, in seconds: when the plan last changed, and whether it is about to."""

    changed: int | None
    about_to_change: bool

    @classmethod
    def of(cls, plan: Plan | None, now: int) -> Moment:
        """The moment `now`, in seconds."""
        if plan is None:
            return cls(None, False)
        changed = plan.phase_began(now * 1000)
        coming = plan.phase_began((now + LEAD_SECONDS) * 1000)
        return cls(None if changed is None else changed // 1000, coming != changed)


class Levels:
    """The levels of every channel for the window `[start, end)`, in seconds."""

    def __init__(self, scene: CampaignScene, start: int, end: int) -> None:
        self._scene = scene
        self._start, self._end = start, end
        self._moment = Moment.of(scene.plan, scene.now // 1000)
        history = scene.history
        since = self._moment.changed
        self._age = None if since is None else end - since
        # The first bucket that lies wholly behind the change.
        self._after = 0 if since is None else -(-since // STEP_SECONDS) * STEP_SECONDS
        if since is None or since <= history.whole.start:
            self._normal = history.normal
        elif self.young:
            self._normal = history.normal_over(history.whole.start, since)
        else:
            self._normal = history.normal_over(self._after, history.whole.end)

    @property
    def young(self) -> bool:
        """The plan changed minutes ago: what is normal since is not known yet."""
        return self._age is not None and self._age < YOUNG_SECONDS

    @property
    def settling(self) -> bool:
        """The plan has only just changed."""
        return self._age is not None and self._age < SETTLE_SECONDS

    @property
    def normal(self) -> Mapping[str, Baseline]:
        """What is normal for each channel: since the plan changed, or before it did while it is `young`."""
        return self._normal

    @property
    def gone(self) -> Iterator[str]:
        """Channels that had traffic in the hour and none since the plan changed."""
        return (channel for channel in self._scene.history.normal if channel not in self._normal)

    def risen(self, channel: str) -> bool:
        """All other channels together have risen with the plan's change: this one was meant to as well."""
        return (
            self._age is not None
            and self._age >= self._end - self._start
            and self._movement(channel, self._normal_rates) >= _RISEN
        )

    def count(self, channel: str) -> int:
        """The channel's events in the window."""
        return self._counts.get(channel, 0)

    def explanations(self, channel: str, *, lately: bool = True) -> Iterator[Baseline]:
        """Each level that would explain what the channel does, the cheapest to find out first.

        Without `lately` those that an incident of some minutes would itself have become part of are left out.
        """
        normal = self._normal.get(channel)
        if normal is not None and normal.seconds >= (_LEAST_PAST_SECONDS if self.young else 0):
            yield normal
            if self.young or self._moment.about_to_change:
                yield _moved(normal, self._movement(channel, self._normal_rates))
        if not self.young or self.settling:
            return
        dispersion = 1.0 if normal is None else normal.dispersion
        for rates in (self._first_rates, self._later_rates) if lately else (self._first_rates,):
            rate = rates.get(channel)
            if rate is not None:
                level = Baseline(rate, dispersion, _FIRST_SECONDS)
                movement = self._movement(channel, rates)
                yield _moved(level, movement)
                # A channel that came up with the others goes down with them.
                if movement >= 1 or not self._joined(channel):
                    yield level

    def _movement(self, channel: str, rates: Mapping[str, float]) -> float:
        """How many times those rates all channels but this one have."""
        counted = sum(count for other, count in self._counts.items() if other != channel and other in rates)
        expected = sum(rate for other, rate in rates.items() if other != channel) * (self._end - self._start)
        return counted / expected if expected > 0 else 1.0

    def _joined(self, channel: str) -> bool:
        """What the change did to the channel at first it did to the others as well, within a factor of two."""
        first, before = self._first_rates, self._normal_rates
        others = [other for other in first.keys() & before.keys() if other != channel]
        then = sum(before[other] for other in others)
        if not then or channel not in before or not first.get(channel):
            return False
        own, theirs = first[channel] / before[channel], sum(first[other] for other in others) / then
        return theirs > 0 and 0.5 <= own / theirs <= 2

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {
            channel: int(series.between(self._start, self._end).sum()) for channel, series in self._scene.recent.items()
        }

    @cached_property
    def _normal_rates(self) -> dict[str, float]:
        return {channel: normal.rate for channel, normal in self._normal.items()}

    @cached_property
    def _first_rates(self) -> dict[str, float]:
        start = self._after + STEP_SECONDS
        end = min(start + _FIRST_SECONDS, self._settled)
        return {channel: _count(past, lately, start, end) / (end - start) for channel, past, lately in self._series}

    @cached_property
    def _later_rates(self) -> dict[str, float]:
        start = self._after + STEP_SECONDS
        steps = range(start, self._settled, STEP_SECONDS)
        return {
            channel: float(np.median([_count(past, lately, at, at + STEP_SECONDS) for at in steps])) / STEP_SECONDS
            for channel, past, lately in self._series
        }

    @property
    def _settled(self) -> int:
        return (self._end - _GUARD_SECONDS) // STEP_SECONDS * STEP_SECONDS

    @property
    def _series(self) -> Iterator[tuple[str, Series | None, Series | None]]:
        past, lately = self._scene.history.channels, self._scene.recent
        for channel in past.keys() | lately.keys():
            yield channel, past.get(channel), lately.get(channel)


def _moved(level: Baseline, times: float) -> Baseline:
    # What nobody else has either is no measure: a rate of zero would make anything infinitely improbable.
    return replace(level, rate=max(level.rate * times, 1e-3))


def _count(past: Series | None, lately: Series | None, start: int, end: int) -> int:
    """The events of [start, end), whole buckets: from the history as far as it goes, then from the last minutes."""
    known = start if past is None else min(max(past.end, start), end)
    count = 0 if past is None else int(past.between(start, known).sum())
    return count + (0 if lately is None else int(lately.between(known, end).sum()))


def least_history(seconds: int, young: bool) -> int:
    """How much of a channel's past must be known: `seconds`, of which a change of the plan between two steps takes up
    to two; and little while the plan is young, when that is judged by other things, too."""
    return 300 if young else seconds - 2 * STEP_SECONDS
