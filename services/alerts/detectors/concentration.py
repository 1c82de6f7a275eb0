"""One account or one device with improbably many events, among all that had any: the core of three rules.

How many events somebody has beyond the first is taken for negative binomial: a Poisson number whose rate differs from
one to another. Its mean and shape come from everybody in the same window, without the few who have the most, so that
where many people do a lot nobody stands out by doing so. The bar is Bonferroni's over all accounts and devices.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from services.alerts.alert import Impact
from services.alerts.detectors.base import Parameters, Verdict
from services.alerts.lifecycle import Sighting
from services.alerts.readings.suspects import Crowd, Search, Suspect, Suspicion
from services.alerts.statistics import log_negative_binomial_upper_tail

_PRIOR_SUBJECTS = 20
_PRIOR_MEAN = 0.1
"""As if so many had been seen with so many further events each: a handful of people does not say what is normal."""
_LEFT_OUT = 0.02
_LEFT_OUT_LEAST, _LEFT_OUT_MOST = 3, 20
_SHAPES = (0.1, 1.0)
"""People always differ at least so much (geometric), and more than the other is not believed."""


class ConcentrationParameters(Parameters):
    """What is improbable within `window_minutes`, and fast, or within `slow_window_minutes`, and steady."""

    window_minutes: int = Field(10, ge=1, le=60)
    min_events: int = Field(8, ge=3, description="events of one account or device in the window at the least")
    slow_window_minutes: int = Field(60, ge=1, le=60)
    slow_min_events: int = Field(10, ge=3, description="the same in the slow window")
    shared_min_events: int = Field(6, ge=3, description="the same for a device with many accounts, in either window")
    shared_accounts: int = Field(4, ge=2, description="accounts on one device that are many")
    min_people: int = Field(10, ge=1, description="others with any event in a window, without whom nobody stands out")
    max_chance: float = Field(1e-4, gt=0, lt=1, description="probability over all people together when all is normal")
    active_seconds: int = Field(120, ge=10, description="it is over when nothing more came for so long")


@dataclass(frozen=True, slots=True)
class Spread:
    """How many further events people have."""

    mean: float
    shape: float

    def log_chance(self, count: int) -> float:
        """ln of the probability that somebody with any event has `count` or more."""
        return log_negative_binomial_upper_tail(count - 1, self.mean, self.shape)

    def bar(self, log_limit: float, least: int) -> int:
        """The smallest count, `least` or more, that is less probable than the limit."""
        count = least
        while self.log_chance(count) >= log_limit:
            count += 1
        return count


def spread_of(histogram: Mapping[int, int]) -> Spread:
    """The spread of a crowd, without those who have the most (a fiftieth, three to twenty)."""
    out = min(_LEFT_OUT_MOST, max(_LEFT_OUT_LEAST, math.ceil(_LEFT_OUT * sum(histogram.values()))))
    subjects, total, squares = float(_PRIOR_SUBJECTS), _PRIOR_SUBJECTS * _PRIOR_MEAN, 0.0
    # The prior is geometric, as its shape is 1: the variance is mean + mean^2.
    squares += _PRIOR_SUBJECTS * (_PRIOR_MEAN + 2 * _PRIOR_MEAN**2)
    for count in sorted(histogram, reverse=True):
        kept = histogram[count] - min(out, histogram[count])
        out -= histogram[count] - kept
        subjects += kept
        total += kept * (count - 1)
        squares += kept * (count - 1) ** 2
    mean = total / subjects
    excess = squares / subjects - mean**2 - mean
    shape = mean**2 / excess if excess > 0 else _SHAPES[1]
    return Spread(mean, min(max(shape, _SHAPES[0]), _SHAPES[1]))


def searches(p: ConcentrationParameters, deeds: Iterable[Any]) -> list[Search]:
    """The quick and the slow search of each deed."""
    return [
        Search(deed, minutes * 60_000, min(least, p.shared_min_events))
        for deed in deeds
        for minutes, least in ((p.window_minutes, p.min_events), (p.slow_window_minutes, p.slow_min_events))
    ]


def suspicious(
    p: ConcentrationParameters, asked: Sequence[Search], found: Mapping[Search, Suspicion], now: int, unit: str
) -> list[Verdict]:
    """What the searches found, each suspect once: where it is most improbable."""
    best: dict[str, tuple[float, Verdict]] = {}
    if max((_others(suspicion) for search in asked if (suspicion := found.get(search))), default=0) < p.min_people:
        return []
    for search in asked:
        suspicion = found.get(search)
        if suspicion is None:
            continue
        shared = {s.name for s in _of(suspicion, "device").suspects if s.others >= p.shared_accounts}
        for kind, crowd in suspicion.crowds.items():
            if not crowd.suspects:
                continue
            # Where few events carry a device, devices are taken to do as much as accounts.
            widest = max(suspicion.crowds.values(), key=lambda one: one.subjects)
            spread = spread_of(widest.histogram)
            limit = math.log(p.max_chance) - math.log(max(1, crowd.subjects) * len(asked) * 2)
            for suspect in crowd.suspects:
                # A device with one user says nothing that the user does not; a user's part in a shared device is told
                # by the device.
                double = suspect.partner in shared if kind == "user" else suspect.others == 1
                if double or now - suspect.last > p.active_seconds * 1000:
                    continue
                judged = _judge(p, search, suspicion, crowd, suspect, spread, limit, unit)
                if judged is not None and (suspect.name not in best or judged[0] < best[suspect.name][0]):
                    best[suspect.name] = judged
    return [verdict for _, verdict in best.values()]


def _others(suspicion: Suspicion) -> int:
    """How many accounts are there that are no suspects."""
    crowd = _of(suspicion, "user")
    return crowd.subjects - len(crowd.suspects)


def _of(suspicion: Suspicion, kind: str) -> Crowd:
    return suspicion.crowds.get(kind, Crowd())


def _least(p: ConcentrationParameters, search: Search, suspect: Suspect) -> int:
    least = p.min_events if search.window_ms == p.window_minutes * 60_000 else p.slow_min_events
    return min(least, p.shared_min_events) if _shared(p, suspect) else least


def _shared(p: ConcentrationParameters, suspect: Suspect) -> bool:
    return suspect.kind == "device" and suspect.others >= p.shared_accounts


def _judge(
    p: ConcentrationParameters,
    search: Search,
    suspicion: Suspicion,
    crowd: Crowd,
    suspect: Suspect,
    spread: Spread,
    limit: float,
    unit: str,
) -> tuple[float, Verdict] | None:
    least = _least(p, search, suspect)
    chance = spread.log_chance(suspect.count)
    breach = suspect.count >= least and chance < limit
    # Twice the bar's share of events is not lost at once: what was improbable remains so for a while.
    if not breach and (suspect.count < 0.7 * least or chance >= limit + math.log(1000)):
        return None
    minutes = max(1.0, (suspect.last - suspect.first) / 60_000)
    verdict = Verdict(
        Sighting.BREACH if breach else Sighting.HOLDS,
        value=suspect.count,
        threshold=spread.bar(limit, least),
        labels={"suspect": suspect.name},
        onset=suspect.first,
        facts={
            "count": suspect.count,
            "what": unit,
            "who": f"{_kind(suspect)} {suspect.name}",
            "kind": _kind(suspect),
            "others": suspect.others,
            "amount": str(suspect.amount),
            "window_minutes": search.window_ms // 60_000,
            "usual": round(1 + spread.mean, 2),
            "paid": suspect.paid,
        },
        evidence={
            "unit": unit,
            "kind": _kind(suspect),
            "accounts" if suspect.kind == "device" else "devices": suspect.others,
            "from": suspicion.start_ms // 1000,
            "to": suspicion.end_ms // 1000,
            "first": suspect.first // 1000,
            "last": suspect.last // 1000,
            "amount": str(suspect.amount),
            "crowd": crowd.subjects,
            "crowd_events": crowd.events,
            "reference": round(1 + spread.mean, 3),
            "log10_chance": round(max(-300.0, chance / math.log(10)), 1),
            "events": [[point.at, point.ref, str(point.amount)] for point in suspect.points],
            "points": _points(suspect),
        },
        impact=_impact(search, suspect, minutes),
    )
    return chance, verdict


def _kind(suspect: Suspect) -> str:
    return "account" if suspect.kind == "user" else "device"


def _points(suspect: Suspect, step: int = 10) -> list[list[int]]:
    """[second, events] of every ten seconds over the last events."""
    moments = [point.at // 1000 // step * step for point in suspect.points]
    return [[at, moments.count(at)] for at in range(min(moments), max(moments) + step, step)] if moments else []


def _impact(search: Search, suspect: Suspect, minutes: float) -> Impact | None:
    if search.deed not in ("refunds", "redemptions"):
        return None
    what, what_zh = ("refunds", "退款") if search.deed == "refunds" else ("face value redeemed", "核销的券面值")
    loss = (suspect.amount / round(minutes * 60) * 60).quantize(suspect.amount)
    return Impact(loss, f"{what} of this suspect over {minutes:.0f} min", f"该嫌疑方 {minutes:.0f} 分钟内的{what_zh}")
