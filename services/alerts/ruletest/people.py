"""What searches for suspects would have found, from written series: who did how much in a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from services.alerts.memory.past import running
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.suspects import (
    POINTS,
    TOP,
    Batch,
    Batches,
    BatchSearch,
    Crowd,
    Deed,
    Point,
    Search,
    Suspect,
    Suspicion,
)
from services.alerts.readings.watch import GUARD_MS, HOUR_MS, Found
from services.alerts.ruletest.notation import Written
from services.alerts.series import Counts

DEEDS: dict[str, Deed] = {
    "orders_paid": "orders",
    "orders_refunded": "refunds",
    "coupons_claimed": "claims",
    "coupons_redeemed": "redemptions",
}
"""The series whose events somebody did."""

_EVERY_MS = 5_000
"""The service does not search more often."""
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class _Doings:
    """The events of a series; without a user each is another's, without a device nothing is known of any."""

    deed: Deed
    user: str
    device: str
    batch: str
    in_store: bool
    value: Decimal
    begin: int
    totals: Counts

    def count(self, start: int, end: int) -> int:
        """Events in [start, end), in seconds since the epoch."""
        first, last = np.clip([start - self.begin, end - self.begin], 0, len(self.totals) - 1)
        return int(self.totals[last] - self.totals[first])

    def moments(self, start: int, end: int) -> list[int]:
        """When each happened."""
        first, last = np.clip([start - self.begin, end - self.begin], 0, len(self.totals) - 1)
        counts = np.diff(self.totals[first : last + 1])
        found: list[int] = np.repeat(np.arange(first, last) + self.begin, counts).tolist()
        return found


class People:
    """Everybody in a test."""

    def __init__(self, series: Iterable[tuple[Written, Counts]], begin: int) -> None:
        """Series with what happened in each second since `begin`, in seconds since the epoch."""
        self._doings = [
            _Doings(
                DEEDS[one.name],
                one.labels.get("user_id", ""),
                one.labels.get("device_id", ""),
                one.labels.get("batch_id", _UNKNOWN),
                one.labels.get("channel") == "store",
                Decimal(one.labels.get("value", "0")),
                begin,
                running(counts),
            )
            for one, counts in series
        ]
        self._found = Found()
        self._searched_at = 0

    def found(self, asked: Iterable[Inquiry], now: int) -> Found:
        """What is known at `now`, epoch ms, which only moves forward."""
        if now - self._searched_at >= _EVERY_MS:
            self._found, self._searched_at = Found(), now
            for ask in asked:
                if isinstance(ask, Search):
                    self._found.suspicions[ask] = self._search(ask, now)
                elif isinstance(ask, BatchSearch):
                    self._found.batches[ask] = self._count(ask, now)
        return self._found

    def _search(self, search: Search, now: int) -> Suspicion:
        start, end = (now - search.window_ms) // 1000, now // 1000
        mine = [one for one in self._doings if one.deed == search.deed and not one.in_store]
        crowds = {}
        for kind in ("user", "device"):
            histogram: dict[int, int] = {}
            suspects = []
            for name in sorted({_who(one, kind) for one in mine}):
                theirs = [one for one in mine if _who(one, kind) == name]
                count = sum(one.count(start, end) for one in theirs)
                if not name and kind == "user" and count:
                    histogram[1] = histogram.get(1, 0) + count
                if not name or not count:
                    continue
                histogram[count] = histogram.get(count, 0) + 1
                if count >= search.least:
                    suspects.append(self._suspect(kind, name, theirs, start, end))
            suspects.sort(key=lambda suspect: (-suspect.count, suspect.name))
            crowds[kind] = Crowd(histogram, suspects[:TOP])
        return Suspicion(crowds, start * 1000, now)

    def _suspect(self, kind: str, name: str, theirs: Sequence[_Doings], start: int, end: int) -> Suspect:
        other = "device" if kind == "user" else "user"
        others = _different([_who(one, other) for one in theirs], [one.count(start, end) for one in theirs], other)
        named = {_who(one, other) for one in theirs}
        points = sorted(
            (Point(at * 1000, f"{name}-{at}-{number}", one.value) for one in theirs
             for number, at in enumerate(one.moments(start, end))),
            key=lambda point: point.at,
        )  # fmt: skip
        return Suspect(
            kind,
            name,
            count=len(points),
            others=others,
            partner=named.pop() if others == 1 and len(named) == 1 else "",
            amount=sum((point.amount for point in points), Decimal(0)),
            first=points[0].at,
            last=points[-1].at,
            paid=self._paid(kind, name, start, end) if theirs[0].deed == "refunds" else 0,
            points=points[-POINTS:],
        )

    def _paid(self, kind: str, name: str, start: int, end: int) -> int:
        mine = (one for one in self._doings if one.deed == "orders" and _who(one, kind) == name)
        return sum(one.count(start, end) for one in mine)

    def _count(self, search: BatchSearch, now: int) -> Batches:
        until = (now - max(GUARD_MS, search.window_ms)) // 1000
        since, recent, end = until - HOUR_MS // 1000, (now - search.window_ms) // 1000, now // 1000
        mine = [one for one in self._doings if one.deed == search.deed and one.count(since, end)]
        rows, earliest = {}, until
        for name in sorted({one.batch for one in mine}):
            theirs = [one for one in mine if one.batch == name]
            counts = [one.count(recent, end) for one in theirs]
            latest = [at for one in theirs for at in one.moments(recent, end)]
            first = min(at for one in theirs for at in one.moments(since, end)[:1])
            earliest = min(earliest, first)
            rows[name] = Batch(
                sum(counts),
                sum(one.count(since, until) for one in theirs),
                _different([one.user for one in theirs], counts, "user"),
                _different([one.device or one.user for one in theirs], counts, "user"),
                sum((one.value * count for one, count in zip(theirs, counts, strict=True)), Decimal(0)),
                min(latest, default=0) * 1000,
                (until - first) * 1000,
            )
        return Batches(rows, (until - earliest) * 1000, now)


def _who(one: _Doings, kind: str) -> str:
    return one.user if kind == "user" else one.device


def _different(names: Sequence[str], counts: Sequence[int], kind: str) -> int:
    """How many are behind so many events: no user is another each time, while no device is one, as in a store."""
    known = {name for name, count in zip(names, counts, strict=True) if count}
    nameless = sum(count for name, count in zip(names, counts, strict=True) if not name)
    return len(known) if kind == "device" else len(known - {""}) + nameless
