"""What is out of the ordinary at present, for those who make events to take into account."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.simulator.catalogue import Item


class Effect:
    """Something out of the ordinary, as long as it is set.

    `first_ms` is when it first showed in an event, None before; `hits` counts how often it did.
    """

    __slots__ = ("first_ms", "hits")

    def __init__(self) -> None:
        self.hits = 0
        self.first_ms: int | None = None

    def shows(self, at_ms: int) -> None:
        """An event that tells of it happens at `at_ms`."""
        self.hits += 1
        if self.first_ms is None or at_ms < self.first_ms:
            self.first_ms = at_ms


class Trouble(Effect):
    """Goes wrong for a share of what it concerns."""

    __slots__ = ("_rng", "share")

    def __init__(self, share: float, rng: Random) -> None:
        super().__init__()
        self.share = share
        self._rng = rng

    def strikes(self) -> bool:
        """Whether it goes wrong this time."""
        return self._rng.random() < self.share


class Markup(Effect):
    """What is paid is so many times the right amount."""

    __slots__ = ("factor",)

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor


class Conditions:
    """By channel: who stays away, what fails, what is priced or paid wrongly. Empty when all is normal."""

    def __init__(self) -> None:
        self.away: dict[str, float] = {}
        """Share of a channel's visitors who do not come."""
        self.checkout: dict[str, Trouble] = {}
        """Orders that are never made."""
        self.payments: dict[str, Trouble] = {}
        """Payments that fail."""
        self.prices: dict[str, Markup] = {}
        """What goods are sold for."""
        self.spend: dict[str, Markup] = {}
        """What ads cost."""
        self.viral: tuple[Item, float] | None = None
        """An item and its share of all that is looked at."""
        self.late: tuple[Trouble, int, int] | None = None
        """Events that arrive late, by how many ms at the least and at the most."""
