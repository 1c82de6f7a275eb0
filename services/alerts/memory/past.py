"""One campaign's events, counted by second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from schemas.metrics import Kind
from services.alerts.plan import Plan
from services.alerts.readings.seconds import Payments, Seconds
from services.alerts.scene import Refund, Sold
from services.alerts.series import Counts
from services.alerts.shelf import ShelfRow


@dataclass(frozen=True, slots=True)
class Stream:
    """Events of one kind that share their dimensions, as running totals of measures.

    `totals[measure][i]` is what had come before step i; money is in hundredths. `labels` are the dimensions that are
    known of them.
    """

    kind: Kind
    labels: Mapping[str, str]
    totals: Mapping[str, Counts]


def _no_numbers() -> Counts:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Sales:
    """What was paid, in the order of `seconds`; `places` are places in `items`, `units` are pieces,
    `amounts` hundredths."""

    items: Sequence[str] = ()
    seconds: Counts = field(default_factory=_no_numbers)
    places: Counts = field(default_factory=_no_numbers)
    units: Counts = field(default_factory=_no_numbers)
    amounts: Counts = field(default_factory=_no_numbers)
    orders: Counts = field(default_factory=_no_numbers)

    def between(self, start: int, end: int) -> dict[str, Sold]:
        """What each item sold that sold any in [start, end), in seconds, `start` on a minute."""
        first, last = np.searchsorted(self.seconds, [start, end])
        places = self.places[first:last]
        units = np.bincount(places, self.units[first:last])
        amounts = np.bincount(places, self.amounts[first:last])
        minutes = (end - start) // 60 + 1
        cells = places * minutes + (self.seconds[first:last] - start) // 60
        orders = np.bincount(cells, self.orders[first:last], len(units) * minutes).reshape(len(units), minutes)
        return {
            self.items[n]: Sold(
                round(units[n]),
                round(amounts[n]) / 100,
                max(1, end - start),
                round(orders[n].sum()),
                round(orders[n, :-1].max(initial=0)),
                round(orders[n, -1]),
                (end - start) % 60,
            )
            for n in np.flatnonzero(units).tolist()
        }

    def orders_between(self, start: int, end: int) -> dict[str, int]:
        """Orders of each item in [start, end), in seconds."""
        first, last = np.searchsorted(self.seconds, [start, end])
        orders = np.bincount(self.places[first:last], self.orders[first:last])
        return {self.items[n]: round(orders[n]) for n in np.flatnonzero(orders).tolist()}


@dataclass(slots=True)
class Past:
    """Seconds since the epoch; arrays have one place for each second of [begin, begin + length), `begin` on a minute.

    `traffic` and `paid` are events by channel, `orders` those that the pulse counts (created and paid). `kinds` counts
    the events of each kind. `refunds` and `stock` are in the order of time, a level being known from its second on;
    `sales` lie at the beginning of their step. `payments` have a place for each second too, by what is asked; where
    streams step by seconds they follow from those. `items` says of a clock hour (seconds / 3600) how many items had
    orders. `streams` step by `step` seconds, and a step is known when it is over; where `by_dimension`, each event is
    in one stream for every dimension that it has, and in one that has none.
    """

    campaign_id: str
    begin: int
    length: int
    plan: Plan | None = None
    traffic: dict[str, Counts] = field(default_factory=dict)
    paid: dict[str, Counts] = field(default_factory=dict)
    orders: Counts = field(default_factory=_no_numbers)
    kinds: dict[str, Counts] = field(default_factory=dict)
    refunds: Sequence[Refund] = ()
    sales: Sales = field(default_factory=Sales)
    payments: Mapping[Seconds, Mapping[str, Payments]] = field(default_factory=dict)
    stock: Sequence[tuple[int, ShelfRow]] = ()
    items: Mapping[int, int] = field(default_factory=dict)
    streams: Sequence[Stream] = ()
    step: int = 1
    by_dimension: bool = False

    @property
    def end(self) -> int:
        return self.begin + self.length


def running(counts: Counts) -> Counts:
    """What had come before each place, and in all."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
