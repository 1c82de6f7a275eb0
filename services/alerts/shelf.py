"""Stock levels in memory, so that a look every second reads minutes and not days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.alerts.scene import StockLevel


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """The newest level of an item in a warehouse among the minutes that were read; `minute` in seconds."""

    campaign_id: str
    item_id: str
    warehouse_id: str
    minute: int
    available: int
    safety_stock: int | None


@dataclass(frozen=True, slots=True)
class _Entry:
    row: ShelfRow
    seen_at: int


class Shelf:
    """The newest level of every item and warehouse.

    A level of these minutes counts at once. One that lies further back counts when it has stood for `settle_ms`:
    while history is being written, a later level of the item is likely still to come.
    """

    def __init__(self, *, fresh_seconds: int = 120, settle_ms: int = 30_000) -> None:
        self._fresh_seconds = fresh_seconds
        self._settle_ms = settle_ms
        self._entries: dict[tuple[str, str, str], _Entry] = {}

    def put(self, rows: Iterable[ShelfRow], now: int) -> None:
        """Takes the levels of a read over any range of minutes; a level of an earlier minute replaces nothing."""
        for row in rows:
            key = (row.campaign_id, row.item_id, row.warehouse_id)
            known = self._entries.get(key)
            if known is not None and (row.minute < known.row.minute or row == known.row):
                continue
            self._entries[key] = _Entry(row, now)

    def levels(self, campaign_id: str, now: int) -> dict[str, StockLevel]:
        """Each item's stock, summed over its warehouses."""
        items: dict[str, StockLevel] = {}
        for (campaign, item, warehouse), entry in self._entries.items():
            if campaign != campaign_id:
                continue
            row = entry.row
            confirmed = (
                row.minute >= entry.seen_at // 1000 - self._fresh_seconds or now - entry.seen_at >= self._settle_ms
            )
            level = items.get(item)
            if level is None:
                items[item] = StockLevel(row.available, row.safety_stock, confirmed, {warehouse: row.available})
                continue
            safety = level.safety_stock
            if row.safety_stock is not None:
                safety = row.safety_stock + (safety or 0)
            items[item] = replace(
                level,
                available=level.available + row.available,
                safety_stock=safety,
                confirmed=level.confirmed and confirmed,
                warehouses={**level.warehouses, warehouse: row.available},
            )
        return items

    def forget(self, keep: Iterable[str]) -> None:
        """Drops campaigns that are no longer looked at."""
        kept = set(keep)
        for key in [key for key in self._entries if key[0] not in kept]:
            del self._entries[key]
