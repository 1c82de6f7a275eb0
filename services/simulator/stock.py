"""Stock per item and warehouse: falls with each sale, is filled up in time, and can be sold out on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from services.simulator.catalogue import Item
from services.simulator.timeline import SECOND_MS, Timeline
from services.simulator.world import WAREHOUSES

_REFILL_BELOW = 0.5
_SAFETY = 0.05
_FIRST_REPORT_MS = 10_000


class Stock:
    """The levels of some items; sales of other items do not concern it.

    `capacity` is what an item's warehouses hold together when full. With a capacity of many hours of sales
    no level comes near its safety stock by itself.
    """

    def __init__(
        self, items: Mapping[str, Item], capacity: Mapping[str, int], *, seed: int, reports_per_second: float
    ) -> None:
        self._items = items
        self._rng = Random(f"stock/{seed}")
        self._full = {
            (item_id, warehouse): max(20, round(capacity[item_id] * share))
            for item_id in items
            for warehouse, share in (("wh-east", 0.45), ("wh-south", 0.33), ("wh-north", 0.22))
        }
        self._level = dict(self._full)
        self._shelves = list(self._full)
        self._due: set[tuple[str, str]] = set()
        self._refills: set[tuple[str, str]] = set()
        self._held: dict[str, float] = {}
        self._rate = reports_per_second
        self._owed = 0.0
        self._next = 0
        self._begun = False

    def knows(self, item_id: str) -> bool:
        """Whether levels of this item are reported."""
        return item_id in self._items

    def is_sold_out(self, item_id: str) -> bool:
        """Whether an incident holds this item at zero."""
        return self._held.get(item_id) == 0

    def tick(self, timeline: Timeline) -> None:
        """Reports every level once at first, then some each second, turn by turn."""
        if not self._begun:
            self._begun = True
            for index, shelf in enumerate(self._shelves):
                self._report(timeline, shelf, timeline.now_ms + index * _FIRST_REPORT_MS // len(self._shelves))
            return
        self._owed += self._rate
        while self._owed >= 1:
            self._owed -= 1
            self._next = (self._next + 1) % len(self._shelves)
            self._report(timeline, self._shelves[self._next], timeline.now_ms + self._rng.randrange(SECOND_MS))

    def sell(self, timeline: Timeline, item_id: str, quantity: int, at_ms: int) -> None:
        """Takes what was sold out of a warehouse, and reports the new level within a second or two."""
        if item_id not in self._items:
            return
        shelf = (item_id, WAREHOUSES.draw(self._rng))
        self._level[shelf] = max(0, self._level[shelf] - quantity)
        self._report(timeline, shelf, at_ms + SECOND_MS + self._rng.randrange(SECOND_MS))
        if self._level[shelf] < self._full[shelf] * _REFILL_BELOW and shelf not in self._refills:
            self._refills.add(shelf)
            self._refill(timeline, shelf, at_ms + 20 * SECOND_MS)

    def sell_out(self, timeline: Timeline, item_id: str) -> None:
        """All warehouses stand at zero from the present second on, until `restock`."""
        self.hold(timeline, item_id, 0)

    def hold(self, timeline: Timeline, item_id: str, share: float) -> None:
        """All warehouses stand at a share of their safety stock from the present second on, until `restock`.

        With a share above zero each has at least one piece.
        """
        self._held[item_id] = share
        self.report(timeline, item_id)

    def restock(self, timeline: Timeline, item_id: str) -> None:
        """All warehouses are full from the present second on."""
        self._held.pop(item_id, None)
        for shelf, full in self._full.items():
            if shelf[0] == item_id:
                self._level[shelf] = full
        self.report(timeline, item_id)

    def report(self, timeline: Timeline, item_id: str) -> None:
        """Reports an item's levels in the present second."""
        for index, shelf in enumerate(shelf for shelf in self._shelves if shelf[0] == item_id):
            # Not through `_report`: one that is due later would put this one off.
            self._plan(timeline, shelf, timeline.now_ms + index)

    def _held_level(self, shelf: tuple[str, str], share: float) -> int:
        return max(1, int(self._full[shelf] * _SAFETY * share)) if share else 0

    def _report(self, timeline: Timeline, shelf: tuple[str, str], at_ms: int) -> None:
        if shelf not in self._due:
            self._due.add(shelf)
            self._plan(timeline, shelf, at_ms)

    def _refill(self, timeline: Timeline, shelf: tuple[str, str], at_ms: int) -> None:
        def fill() -> None:
            self._level[shelf] = self._full[shelf]
            self._refills.discard(shelf)

        self._plan(timeline, shelf, at_ms, fill)

    def _plan(
        self,
        timeline: Timeline,
        shelf: tuple[str, str],
        at_ms: int,
        before: Callable[[], None] | None = None,
    ) -> None:
        item_id, warehouse = shelf
        fields: dict[str, Any] = {
            "event_name": "stock_level",
            "item_id": item_id,
            "item_category": self._items[item_id].category,
            "warehouse_id": warehouse,
            "available": 0,
            "safety_stock": round(self._full[shelf] * _SAFETY),
        }

        def read(_: int) -> bool:
            # The level of the moment that is reported: reports are planned ahead, sales come between.
            self._due.discard(shelf)
            if before is not None:
                before()
            held = self._held.get(item_id)
            fields["available"] = self._level[shelf] if held is None else self._held_level(shelf, held)
            return True

        timeline.plan(at_ms, "inventory", item_id, fields, read)
