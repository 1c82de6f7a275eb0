"""Marketing cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import Field

from schemas.events.base import Currency, Event
from schemas.events.numbers import Amount, Count


class AdSpend(Event):
    """What was spent on a channel since the last such event. Record key: `channel`."""

    event_name: Literal["ad_spend"]
    cost: Amount
    currency: Currency = Field(description="ISO 4217.")
    utm_source: str | None = None
    impressions: Count | None = None
    clicks: Count | None = None

    @property
    def currency_code(self) -> str | None:
        return self.currency

    def amounts(self) -> Iterator[tuple[str, Decimal]]:
        yield "cost", self.cost
