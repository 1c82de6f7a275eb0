"""Stock levels in memory, so that a look every second reads minutes and not days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.alerts.scene import StockLevel

_FALLING_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """The newest level of an item in a warehouse among the minutes that were read; `minute` in seconds."""

    campaign_id: str
    item_id: str
    warehouse_id: str
    minute: int
    available: int
    safety_stock: int | None


@dataclass(slots=True)
class _Item:
    """One item's rows by warehouse.

    `confirmed_at`: when its level may be judged; `fell_at`: when it was last seen to fall, 0 if it has risen since.
    Both in epoch milliseconds.
    """

    rows: dict[str, ShelfRow] = field(default_factory=dict)
    confirmed_at: int = 0
    fell_at: int = 0
    level: StockLevel | None = None


class Shelf:
    """The newest level of every item and warehouse.

    A level of these minutes counts at once. One that lies further back counts when it has stood for `settle_ms`:
    while history is being written, a later level of the item is likely still to come.
    """

    def __init__(self, *, fresh_seconds: int = 120, settle_ms: int = 30_000) -> None:
        self._fresh_seconds = fresh_seconds
        self._settle_ms = settle_ms
        self._campaigns: dict[str, dict[str, _Item]] = {}

    def put(self, rows: Iterable[ShelfRow], now: int) -> None:
        """Takes the levels of a read over any range of minutes; a level of an earlier minute replaces nothing."""
        for row in rows:
            item = self._campaigns.setdefault(row.campaign_id, {}).setdefault(row.item_id, _Item())
            known = item.rows.get(row.warehouse_id)
            if known is not None and (row.minute < known.minute or row == known):
                continue
            if known is not None and row.available != known.available:
                item.fell_at = now if row.available < known.available else 0
            item.rows[row.warehouse_id] = row
            item.level = None
            if row.minute < now // 1000 - self._fresh_seconds:
                item.confirmed_at = now + self._settle_ms

    def levels(self, campaign_id: str, now: int) -> dict[str, StockLevel]:
        """Each item's stock, summed over its warehouses."""
        return {item_id: self._level(item, now) for item_id, item in self._campaigns.get(campaign_id, {}).items()}

    def forget(self, keep: Iterable[str]) -> None:
        """Drops campaigns that are no longer looked at."""
        kept = set(keep)
        self._campaigns = {campaign: items for campaign, items in self._campaigns.items() if campaign in kept}

    @staticmethod
    def _level(item: _Item, now: int) -> StockLevel:
        confirmed = now >= item.confirmed_at
        falling = now - item.fell_at <= _FALLING_MS
        if item.level is None or item.level.confirmed != confirmed or item.level.falling != falling:
            declared = [row.safety_stock for row in item.rows.values() if row.safety_stock is not None]
            item.level = StockLevel(
                available=sum(row.available for row in item.rows.values()),
                safety_stock=sum(declared) if declared else None,
                confirmed=confirmed,
                warehouses={warehouse: row.available for warehouse, row in item.rows.items()},
                falling=falling,
            )
        return item.level
