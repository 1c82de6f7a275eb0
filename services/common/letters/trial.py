"""Whether a record would be accepted now: the contract's judge, with the present settings."""

from __future__ import annotations

from decimal import Decimal

from schemas.events import judge
from services.common.errors import RefusedEvent
from services.common.settings import EVENT_KINDS, Settings


class Trial:
    """Judges records as an ingest with the same settings does."""

    def __init__(self, settings: Settings) -> None:
        self._kinds = {settings.topics[kind]: kind for kind in EVENT_KINDS}
        self._currencies = {settings.reporting_currency: Decimal(1), **settings.currency_rates}

    def knows(self, topic: str) -> bool:
        """The topic is one of the five that ingest reads."""
        return topic in self._kinds

    def refusal(self, topic: str, value: bytes, now_ms: int) -> RefusedEvent | None:
        """Why the record would be refused at `now_ms` (epoch milliseconds), None when it would be accepted."""
        try:
            judge(self._kinds[topic], value, now_ms=now_ms, currencies=self._currencies)
        except RefusedEvent as refused:
            return refused
        return None
