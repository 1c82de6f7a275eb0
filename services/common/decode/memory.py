"""What a decoder remembers between events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from schemas.events.base import CAMPAIGN_ID_PATTERN, REGION_PATTERN
from schemas.events.traffic import NAME_PATTERN
from services.common.decode.amounts import AmountMemory, Rate
from services.common.decode.times import TimeMemory

_MEMORY: Final = 4096


class KnownTexts:
    """The texts that matched a pattern before, at most 4,096: far cheaper than to match them again."""

    __slots__ = ("_pattern", "texts")

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self.texts: set[str] = set()

    def learn(self, text: str) -> bool:
        """Whether `text` matches as a whole; if so it is remembered."""
        if self._pattern.fullmatch(text) is None:
            return False
        if len(self.texts) >= _MEMORY:
            self.texts.clear()
        self.texts.add(text)
        return True


class Memory:
    """One decoder's memory. Not safe for use by two threads at once."""

    __slots__ = ("amounts", "campaigns", "names", "rates", "regions", "times")

    def __init__(self, currencies: Mapping[str, Decimal]) -> None:
        """`currencies` maps each accepted currency to its rate into the reporting currency."""
        self.amounts = AmountMemory()
        self.campaigns = KnownTexts(CAMPAIGN_ID_PATTERN)
        self.names = KnownTexts(NAME_PATTERN)
        self.regions = KnownTexts(REGION_PATTERN)
        self.times = TimeMemory()
        self.rates = {currency: Rate(rate) for currency, rate in currencies.items()}
