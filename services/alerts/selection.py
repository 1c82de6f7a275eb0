"""What a rule looks at: a metric, of which events, for each value of what, over how long."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, Literal, cast

from services.alerts.readings.asks import Filters

Comparison = Literal[">", ">=", "<", "<="]
_CONDITION = re.compile(r"^\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


@dataclass(frozen=True, slots=True)
class Condition:
    """A bound and the side of it that is bad."""

    comparison: Comparison
    bound: Decimal

    @property
    def above(self) -> bool:
        """It is bad to be above: what is missing cannot cause it, so it may be judged before the data are complete."""
        return self.comparison in (">", ">=")

    def holds(self, value: int | float | Decimal) -> bool:
        """Whether the value is on the bad side."""
        return _COMPARE[self.comparison](value, self.bound)


def parse_condition(text: str) -> Condition:
    """Reads `> 100`, `<= 0.5` and the like. Raises `ValueError`."""
    match = _CONDITION.match(text)
    if match is None:
        raise ValueError("must be a comparison and a number, such as '> 100' or '<= 0.5'")
    return Condition(cast(Comparison, match[1]), Decimal(match[2]))


@dataclass(frozen=True, slots=True)
class Selection:
    """`metric` is one of the catalogue; `by` a dimension, or None for the campaign as a whole."""

    metric: str
    filters: Filters = ()
    by: str | None = None
    window_ms: int = 300_000
    condition: Condition | None = None
