"""Stock levels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.events.base import Event, RequiredId
from schemas.events.numbers import Count


class StockLevel(Event):
    """How many pieces are left; replaces the earlier level of that item and warehouse. Record key: `item_id`."""

    event_name: Literal["stock_level"]
    item_id: RequiredId
    available: Count
    warehouse_id: str | None = Field(None, description="Absent means `default`.")
    safety_stock: Count | None = Field(None, description="The level at which to worry.")
    item_category: str | None = None
