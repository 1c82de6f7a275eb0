"""Which incidents a festival gets, and when: spread so that each can be told from every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from services.simulator.crowd import ORDERS_PER_VISIT
from services.simulator.day.body import CLICK_PRICE
from services.simulator.day.curve import DAY_MS
from services.simulator.day.programme import MINUTE_MS, QUIET_START_MS, Programme
from services.simulator.incidents import Incident
from services.simulator.incidents.registry import KINDS
from services.simulator.timeline import SECOND_MS
from services.simulator.world import CHANNELS, CLICKS_PER_VISIT, COST_PER_CLICK_CENTS

APART_SECONDS = 12 * 60
"""Between any two."""
SAME_RULE_SECONDS = 30 * 60
SILENCE_SECONDS = 20 * 60
BEFORE_SALE_MS, AFTER_SALE_MS = 10 * MINUTE_MS, 20 * MINUTE_MS
"""What a sale brings must have settled, and must not yet have begun."""

_END_MS = 10 * MINUTE_MS
_TRIES = 400
_DRAFTS = 4
_VIEWS_PER_VISIT = 3.4
_OVERRUN = 16
"""Times the cost of an average minute: some seven times what an even pace allows."""
_PREPARED_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class _Habit:
    """How a kind usually goes: how long, and how busy its channel must be for anybody to notice."""

    seconds: tuple[int, int]
    views: float = 0
    """Traffic events a minute."""
    orders: float = 0
    """Orders a minute."""
    ads: float = 0
    """Cost of ads a minute in yuan: a return is only low beyond chance when several orders should have come of it."""
    level: float = 0
    """How busy the festival must be, 1 for the average."""
    channels: bool = True
    items: bool = False
    counts: tuple[int, int] | None = None
    overrun: bool = False
    """Its factor is the higher the quieter it is, so that the budget burns as fast at any hour."""
    sells: bool = False
    """It costs sales, and is not told apart from a phase that is slow anyway."""


_HABITS: dict[str, _Habit] = {
    "trough": _Habit((600, 1200), orders=3, sells=True),
    "roi_floor": _Habit((2400, 2700), orders=2, ads=150, sells=True),
    "payment_outage": _Habit((240, 600), orders=3, sells=True),
    "drop": _Habit((180, 480), views=60, sells=True),
    "lost": _Habit((180, 480), views=60, sells=True),
    "budget_overrun": _Habit((600, 900), views=60, level=0.6, overrun=True),
    "refund_channel": _Habit((90, 180), orders=1.5, counts=(30, 60)),
    "spike": _Habit((60, 180), views=20, sells=True),
    "bots": _Habit((120, 300), views=20, sells=True),
    "brushing": _Habit((240, 360), views=150, counts=(100, 160)),
    "coupon_abuse": _Habit((180, 300), views=100, counts=(180, 280)),
    "refund_fraud": _Habit((90, 150), channels=False),
    "refund_burst": _Habit((60, 120), channels=False, counts=(30, 50)),
    "stock_out": _Habit((120, 400), channels=False, items=True),
    "stock_low": _Habit((180, 600), channels=False, items=True),
    "silence": _Habit((60, 150), channels=False),
    "malformed": _Habit((90, 300), channels=False),
    "late": _Habit((240, 480), channels=False),
    "viral": _Habit((480, 900), channels=False),
    "refund_bump": _Habit((120, 240), channels=False),
    "family": _Habit((900, 1500)),
}


def incident_plan(
    programme: Programme,
    seed: int,
    visits_per_second: float,
    *,
    items: Sequence[str],
    kinds: Sequence[str] | None = None,
    density: float = 1.0,
) -> list[Incident]:
    """One incident of each kind, decoys included, or of those that are named; fewer when the festival is short,
    unless `density`, times as many in the same time, makes up for it.

    `items` are those whose stock may run low. Offsets count from the festival's start. None begins in its first 70
    minutes; none meets a sale, nor another within 12 minutes, of the same rule within 30, a silence within 20. What
    finds no place is left out.
    """
    rng = Random(f"plan/{seed}")
    wanted = list(kinds if kinds is not None else _HABITS)
    count = len(wanted)
    if kinds is None:
        share = density * (programme.end_ms - programme.start_ms) / DAY_MS
        count = max(1, round(len(wanted) * min(1.0, share)))
    best: list[Incident] = []
    for _ in range(_DRAFTS):
        rng.shuffle(wanted)
        if count == len(wanted):
            # All are to find a place: those that need the most come first.
            wanted.sort(key=list(_HABITS).index)
        placed = _draft(programme, rng, visits_per_second, items, wanted, count)
        best = max(best, placed, key=len)
        if len(best) == count:
            break
    return sorted(best, key=lambda one: one.offset)


def _draft(
    programme: Programme,
    rng: Random,
    visits_per_second: float,
    items: Sequence[str],
    wanted: Sequence[str],
    count: int,
) -> list[Incident]:
    placed: list[Incident] = []
    for name in wanted:
        for _ in range(_TRIES):
            incident = _propose(programme, rng, name, visits_per_second, items)
            if incident is not None and fits(programme, incident, placed):
                placed.append(incident)
                break
        if len(placed) == count:
            break
    return placed


def fits(programme: Programme, incident: Incident, placed: Sequence[Incident]) -> bool:
    """Whether an incident keeps away from sales, and from all that have a place."""
    starts_ms = programme.start_ms + incident.offset * SECOND_MS
    ends_ms = starts_ms + incident.seconds * SECOND_MS
    for sale in programme.sales:
        if starts_ms < sale.end_ms + AFTER_SALE_MS and sale.start_ms - BEFORE_SALE_MS < ends_ms:
            return False
    if programme.slow and _HABITS[incident.type].sells:
        slow = programme.phase(programme.slow)
        if starts_ms < slow.end_ms + AFTER_SALE_MS and slow.start_ms < ends_ms:
            return False
    return not any(incident.overlaps(other, _apart(incident, other)) for other in placed)


def _apart(one: Incident, other: Incident) -> int:
    if KINDS[one.type].rule == KINDS[other.type].rule:
        return SAME_RULE_SECONDS
    return SILENCE_SECONDS if "silence" in (one.type, other.type) else APART_SECONDS


def _propose(
    programme: Programme, rng: Random, name: str, visits_per_second: float, items: Sequence[str]
) -> Incident | None:
    habit, kind = _HABITS[name], KINDS[name]
    seconds = rng.randrange(habit.seconds[0], habit.seconds[1] + 1)
    whole = (programme.end_ms - programme.start_ms - _END_MS) // SECOND_MS
    earliest = QUIET_START_MS // SECOND_MS
    if kind.prepare is not None:
        earliest = max(earliest, min(_PREPARED_SECONDS, whole // 2))
    if earliest + seconds >= whole:
        return None
    offset = rng.randrange(earliest, whole - seconds)
    options: dict[str, str] = {}
    if habit.channels:
        starts_ms = programme.start_ms + offset * SECOND_MS
        level = min(programme.intensity(starts_ms), programme.intensity(starts_ms + seconds * SECOND_MS))
        visits = visits_per_second * level * 60
        busy = [
            channel
            for channel, share in CHANNELS.items()
            if visits * share * _VIEWS_PER_VISIT >= habit.views
            and visits * share * ORDERS_PER_VISIT >= habit.orders
            and visits * share * CLICKS_PER_VISIT[channel] * COST_PER_CLICK_CENTS[channel] * CLICK_PRICE / 100
            >= habit.ads
        ]
        if not busy or level < habit.level:
            return None
        options["channel"] = rng.choice(busy)
        if habit.overrun:
            options["factor"] = str(round(_OVERRUN / level, 1))
    if habit.items:
        options["item"] = rng.choice(items)
    if kind.by:
        options["by"] = rng.choice(kind.by)
    if habit.counts is not None:
        options["count"] = str(rng.randrange(*habit.counts))
    return Incident(name, offset, seconds, options)
