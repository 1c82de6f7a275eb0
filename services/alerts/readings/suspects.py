"""What one account or one device did improbably often: what is asked, and the answer. Nobody is named in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Deed = Literal["orders", "refunds", "claims", "redemptions"]
"""`order_paid`, `order_refunded`, `coupon_claimed`, `coupon_redeemed`."""

TOP = 20
"""So many suspects of a kind are told, those with the most events."""
POINTS = 20
"""So many of a suspect's last events are told."""


@dataclass(frozen=True, slots=True)
class Search:
    """Who has `least` such events or more within the last `window_ms`, and how many everybody has."""

    deed: Deed
    window_ms: int
    least: int


@dataclass(frozen=True, slots=True)
class Point:
    """One event: when (epoch ms), the order's or coupon's id, and its amount."""

    at: int
    ref: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Suspect:
    """`kind` is `user` or `device`; `name` a pseudonym.

    `others` counts the devices of a user, or the users of a device, in these events; `partner` is the pseudonym of the
    only one, or empty. `paid` is how many orders it paid in the window. Times are epoch ms.
    """

    kind: str
    name: str
    count: int
    others: int
    partner: str
    amount: Decimal
    first: int
    last: int
    paid: int
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Crowd:
    """All users, or all devices, with such events: `histogram` says how many have how many, from 1."""

    histogram: Mapping[int, int] = field(default_factory=dict)
    suspects: Sequence[Suspect] = ()

    @property
    def subjects(self) -> int:
        return sum(self.histogram.values())

    @property
    def events(self) -> int:
        return sum(count * subjects for count, subjects in self.histogram.items())


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The answer over `[start_ms, end_ms)`, by kind (`user`, `device`); read at `end_ms`."""

    crowds: Mapping[str, Crowd]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class BatchSearch:
    """Events by batch of coupons: of the last `window_ms`, and of the hour that ended five minutes ago."""

    deed: Literal["claims", "redemptions"]
    window_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """`recent` and `before` are events; `people` and `devices` are behind the recent ones (an event without a device
    has that of its user), `first` in epoch ms."""

    recent: int
    before: int
    people: int
    devices: int
    amount: Decimal
    first: int
    before_ms: int = 3_600_000
    """How long before, within the hour, its first event was."""

    @property
    def different(self) -> int:
        """Recent events, those of one account or one device counted once: it tells a leak from one who takes many."""
        return min(self.people, self.devices)


@dataclass(frozen=True, slots=True)
class Batches:
    """By batch id. `before_ms` is how much of the hour before holds any event of the kind; read at `end_ms`."""

    rows: Mapping[str, Batch]
    before_ms: int
    end_ms: int
