"""What is planned for a festival: its phases, the sales within them, and how busy each moment is meant to be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Literal

from services.common.errors import ConfigurationError
from services.simulator.day.curve import HOUR_MS, day_curve, midnight_within
from services.simulator.festival import Phase
from services.simulator.timeline import SECOND_MS
from services.simulator.world import CHANNELS

Variant = Literal["calm", "flash", "full"]

MINUTE_MS = 60_000
QUIET_START_MS = 70 * MINUTE_MS
"""Nothing unusual, planned or not, happens before: rules need an hour of history."""

_RAMP_MS = 15 * MINUTE_MS
_STEP_MS = 10 * SECOND_MS
_SETTLED_STEPS = 20 * MINUTE_MS // _STEP_MS
_APART_MS = 75 * MINUTE_MS
_SLOW_LEAST_MS = 100 * MINUTE_MS
_SLOW_LEVEL = 0.4
_SLOW_SHARE = 0.22
"""Of the whole festival's business at the most, so that the whole stays on course without it."""
_FRONT_LOADED = 0.85
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Sale:
    """A planned rush, half-open: `factor` times the usual number come to its channels at the second in which it opens,
    fewer and fewer after that; at the end hardly more than usual."""

    name: str
    start_ms: int
    end_ms: int
    factor: float
    channels: tuple[str, ...] = tuple(CHANNELS)

    def at(self, at_ms: int) -> float:
        """Times the usual number at a moment within."""
        return 1 + (self.factor - 1) * math.exp(-4 * (at_ms - self.start_ms) / (self.end_ms - self.start_ms))


@dataclass(frozen=True)
class Programme:
    """A festival from `start_ms` to `end_ms`.

    `phases` cover it without a gap; each sale is a phase of its own. `slow` is the name of a phase in which far fewer
    people come than was planned, empty for none.
    """

    start_ms: int
    end_ms: int
    phases: tuple[Phase, ...]
    sales: tuple[Sale, ...] = ()
    slow: str = ""

    def planned(self, at_ms: int) -> float:
        """How busy a moment is meant to be, sales apart; with sales the mean over the festival is 1."""
        return self._shape(at_ms) / self._mean

    def intensity(self, at_ms: int) -> float:
        """How busy a moment is, sales apart."""
        return self.planned(at_ms) * self._slowness(at_ms)

    def wave(self, channel: str, at_ms: int) -> float:
        """Times the usual number whom a sale brings to a channel."""
        for sale in self.sales:
            if sale.start_ms <= at_ms < sale.end_ms:
                return sale.at(at_ms) if channel in sale.channels else 1.0
        return 1.0

    def business(self, at_ms: int) -> float:
        """How busy a moment is meant to be over all channels, sales included."""
        return self._rush(at_ms) / self._mean

    def phase(self, name: str) -> Phase:
        """The phase of that name."""
        return next(phase for phase in self.phases if phase.name == name)

    def phase_at(self, at_ms: int) -> Phase:
        """The phase that holds a moment of the festival."""
        return next(phase for phase in reversed(self.phases) if phase.start_ms <= at_ms or phase is self.phases[0])

    def weight(self, start_ms: int, end_ms: int) -> float:
        """The planned business of a span, in average seconds; to ten seconds."""
        return sum(self._amounts(start_ms, end_ms))

    def least_lead(self, start_ms: int, end_ms: int) -> float:
        """How far the planned business of a span falls behind an even pace at the worst: 1 for never, 0.5 for half.

        Its first twenty minutes do not count: they say little.
        """
        amounts = self._amounts(start_ms, end_ms)
        even = sum(amounts) / len(amounts)
        reached = accumulate(amounts)
        leads = [done / (number * even) for number, done in enumerate(reached, 1) if number >= _SETTLED_STEPS]
        return min([1.0, *leads])

    def behind_from(self, phase: Phase, share: float) -> int:
        """From when on a slow phase is behind an even pace towards `share` of its planned business, for good; its end
        when it never is."""
        amounts = self._amounts(phase.start_ms, phase.end_ms)
        even = share * sum(amounts) / len(amounts)
        done, onset = 0.0, None
        for number, amount in enumerate(amounts):
            at_ms = phase.start_ms + number * _STEP_MS
            done += amount * self._slowness(at_ms)
            if done >= even * (number + 1):
                onset = None
            elif onset is None:
                onset = at_ms
        return phase.end_ms if onset is None else onset

    def _amounts(self, start_ms: int, end_ms: int) -> list[float]:
        first, last = (round((at_ms - self.start_ms) / _STEP_MS) for at_ms in (start_ms, end_ms))
        return [level / self._mean * _STEP_MS / SECOND_MS for level in self._grid[first:last]]

    @cached_property
    def _grid(self) -> list[float]:
        return [self._rush(at_ms) for at_ms in range(self.start_ms, self.end_ms, _STEP_MS)]

    @cached_property
    def _mean(self) -> float:
        return sum(self._grid) / len(self._grid)

    def _rush(self, at_ms: int) -> float:
        sale = next((sale for sale in self.sales if sale.start_ms <= at_ms < sale.end_ms), None)
        if sale is None:
            return self._shape(at_ms)
        return self._shape(at_ms) * (1 + (sale.at(at_ms) - 1) * sum(CHANNELS[channel] for channel in sale.channels))

    def _shape(self, at_ms: int) -> float:
        return self._phase_level(at_ms) * day_curve(at_ms)

    def _phase_level(self, at_ms: int) -> float:
        before = self.phases[0].level
        for phase in self.phases:
            if at_ms < phase.end_ms:
                # A phase takes over by and by, as people come in.
                into = min(1.0, max(0.0, (at_ms - phase.start_ms) / _RAMP_MS))
                return before + (phase.level - before) * (1 - math.cos(math.pi * into)) / 2
            before = phase.level
        return before

    def _slowness(self, at_ms: int) -> float:
        if not self.slow:
            return 1.0
        phase = self.phase(self.slow)
        if not phase.start_ms <= at_ms < phase.end_ms + _RAMP_MS:
            return 1.0
        away = at_ms - phase.start_ms if at_ms < phase.end_ms else phase.end_ms + _RAMP_MS - at_ms
        into = min(1.0, away / _RAMP_MS)
        return 1 - (1 - _SLOW_LEVEL) * (1 - math.cos(math.pi * into)) / 2


def festival_programme(seed: int, start_ms: int, hours: float, variant: Variant) -> Programme:
    """The programme of so many hours: warm-up, from midnight on (or an eighth of it) the burst, long tail.

    `calm` has neither sales nor an opening; `full` is `flash` with a slow phase, where one fits.
    """
    end_ms = start_ms + round(hours * 3600) * SECOND_MS
    burst_ms = midnight_within(start_ms + QUIET_START_MS, start_ms + (end_ms - start_ms) // 2)
    if burst_ms is None:
        eighth = start_ms + max(QUIET_START_MS, (end_ms - start_ms) // 8)
        burst_ms = min(end_ms, -(-eighth // HOUR_MS) * HOUR_MS)
    tail_ms = burst_ms + (end_ms - burst_ms) * 4 // 5 // MINUTE_MS * MINUTE_MS
    bounds = (start_ms, burst_ms, tail_ms, end_ms)
    if variant == "calm":
        return Programme(start_ms, end_ms, _phases(bounds, ()))
    # Sales are put elsewhere until they leave room for a phase that can be slow, whether one is or not.
    rng = Random(f"programme/{seed}")
    for _ in range(_TRIES):
        sales = _sales(rng, bounds)
        programme = Programme(start_ms, end_ms, _phases(bounds, sales), sales)
        fitting = _may_be_slow(programme)
        if fitting:
            break
    return replace(programme, slow=rng.choice(fitting)) if variant == "full" and fitting else programme


def slowed(programme: Programme, name: str) -> Programme:
    """The same programme, but far fewer people come in that phase than was planned.

    Raises `ConfigurationError` where there is no such phase.
    """
    if all(phase.name != name for phase in programme.phases):
        known = ", ".join(phase.name for phase in programme.phases)
        raise ConfigurationError(f"no phase {name!r} can be slow; there are {known}")
    return replace(programme, slow=name)


def _sales(rng: Random, bounds: tuple[int, int, int, int]) -> tuple[Sale, ...]:
    start_ms, burst_ms, _, end_ms = bounds
    chosen: list[Sale] = []
    if burst_ms + HOUR_MS < end_ms:
        chosen.append(Sale("opening", burst_ms, burst_ms + 30 * MINUTE_MS, round(rng.uniform(4, 6), 1)))
    # On the half hours of the waking day.
    slots = [
        at
        for at in range(
            -(-(start_ms + QUIET_START_MS) // (HOUR_MS // 2)) * (HOUR_MS // 2), end_ms - HOUR_MS, HOUR_MS // 2
        )
        if day_curve(at) > 0.9
    ]
    rng.shuffle(slots)
    per_kind = max(1, round((end_ms - start_ms) / (8 * HOUR_MS)))
    wanted = ["flash"] * per_kind + ["live"] * max(1, per_kind - 1)
    for at in slots:
        if not wanted:
            break
        length = (rng.randrange(10, 21) if wanted[0] == "flash" else rng.randrange(20, 41)) * MINUTE_MS
        near = any(at < sale.end_ms + _APART_MS and sale.start_ms < at + length + _APART_MS for sale in chosen)
        if near or any(at < bound < at + length for bound in bounds):
            continue
        kind = wanted.pop(0)
        channels = tuple(CHANNELS) if kind == "flash" else ("live",)
        chosen.append(Sale(kind, at, at + length, round(rng.uniform(3, 6), 1), channels))
    chosen.sort(key=lambda sale: sale.start_ms)
    numbers: Counter[str] = Counter()
    named = []
    for sale in chosen:
        numbers[sale.name] += 1
        named.append(sale if sale.name == "opening" else replace(sale, name=f"{sale.name}_{numbers[sale.name]}"))
    return tuple(named)


def _phases(bounds: tuple[int, int, int, int], sales: Sequence[Sale]) -> tuple[Phase, ...]:
    """Warm-up, burst and long tail with the sales cut out of them; what is left of a part is numbered."""
    start, burst, tail, end = bounds
    parts = [("warm_up", start, burst, 0.95), ("burst", burst, tail, 1.05), ("long_tail", tail, end, 0.9)]
    phases: list[Phase] = []
    for name, start_ms, end_ms, level in parts:
        at, pieces = start_ms, list[tuple[int, int]]()
        for sale in sales:
            if start_ms <= sale.start_ms < end_ms:
                phases.append(Phase(sale.name, sale.start_ms, sale.end_ms, level))
                if at < sale.start_ms:
                    pieces.append((at, sale.start_ms))
                at = sale.end_ms
        if at < end_ms:
            pieces.append((at, end_ms))
        phases += [
            Phase(name if len(pieces) == 1 else f"{name}_{number}", first, last, level)
            for number, (first, last) in enumerate(pieces, 1)
        ]
    return tuple(sorted(phases, key=lambda phase: phase.start_ms))


def _may_be_slow(programme: Programme) -> list[str]:
    whole = programme.weight(programme.start_ms, programme.end_ms)
    sales = {sale.name for sale in programme.sales}
    return [
        phase.name
        for phase in programme.phases
        if phase.name not in sales
        and phase.start_ms >= programme.start_ms + QUIET_START_MS
        and phase.end_ms - phase.start_ms >= _SLOW_LEAST_MS
        and programme.weight(phase.start_ms, phase.end_ms) <= _SLOW_SHARE * whole
        and programme.least_lead(phase.start_ms, phase.end_ms) >= _FRONT_LOADED
    ]
