"""The minutes in which most was ordered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from services.review.period import parsed

MOST = 5


@dataclass(frozen=True, slots=True)
class Minute:
    """What was placed within one minute, which begins at `start_ms`."""

    start_ms: int
    gmv: Decimal
    orders: int

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """From a row of a series; a minute that is not known counts as nothing here."""
        return cls(parsed(row["time"]) or 0, Decimal(row["gmv"] or 0), int(row["orders_created"] or 0))


@dataclass(frozen=True, slots=True)
class Peaks:
    """The best minutes by GMV, the best one first, the best by orders, and how many minutes were looked at."""

    by_gmv: Sequence[Minute]
    by_orders: Minute | None
    minutes: int

    def merged(self, other: Peaks) -> Peaks:
        """The peaks of both spans together."""
        best = [peak for peak in (self.by_orders, other.by_orders) if peak is not None]
        return Peaks(_best((*self.by_gmv, *other.by_gmv)), _busiest(best), self.minutes + other.minutes)


def peaks_of(minutes: Sequence[Minute]) -> Peaks:
    """Of equal minutes the earlier one comes first; minutes in which nothing was placed are none."""
    return Peaks(_best(minutes), _busiest(minutes), len(minutes))


def _best(minutes: Iterable[Minute]) -> list[Minute]:
    sold = [minute for minute in minutes if minute.gmv > 0]
    return sorted(sold, key=lambda minute: (-minute.gmv, minute.start_ms))[:MOST]


def _busiest(minutes: Iterable[Minute]) -> Minute | None:
    busy = [minute for minute in minutes if minute.orders > 0]
    return min(busy, key=lambda minute: (-minute.orders, minute.start_ms), default=None)
