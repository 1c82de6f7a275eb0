"""What a detector wants to know of a campaign, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.metrics import Value

End = Literal["now", "complete"]
"""Where a window ends: `now` takes the current minute as far as it has come, for rules that fire above a bound;
`complete` ends at the last minute that the watermark covers, for rules that fire below one."""

Filters = tuple[tuple[str, tuple[str, ...]], ...]
"""Dimensions with the values that are kept, in the order of their names."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Metrics of the catalogue over the last `window_ms` (whole minutes), for each value of the dimension `by`.

    Without `by` there is one row, of the value ''. With `since_ms` the window begins there instead (epoch ms, floored
    to the minute), and `window_ms` counts for nothing. `campaign_id` asks of another campaign, such as the baseline,
    and `until_ms` ends the window there.
    """

    metrics: tuple[str, ...]
    window_ms: int = 0
    by: str | None = None
    filters: Filters = ()
    end: End = "now"
    since_ms: int | None = None
    until_ms: int | None = None
    campaign_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer over `[start_ms, end_ms)`: metrics by value of the dimension; a value without events is absent.

    `read_at` is when the store was asked (epoch ms): distinct users are not asked for every second.
    """

    rows: Mapping[str, Mapping[str, Value]]
    start_ms: int
    end_ms: int
    read_at: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Metrics by step of `step_ms` (whole minutes) over the last `length_ms`, for each value of `by`; ends as `Ask`."""

    metrics: tuple[str, ...]
    step_ms: int
    length_ms: int
    by: str | None = None
    filters: Filters = ()
    end: End = "complete"


@dataclass(frozen=True, slots=True)
class CurveReading:
    """Steps begin at `start_ms + i * step_ms`; `rows[value][metric][i]`, None where the metric has no value.

    A step without events holds what no events amount to (0, or None for a ratio). Distinct users are those of each
    step.
    """

    rows: Mapping[str, Mapping[str, Sequence[Value]]]
    start_ms: int
    step_ms: int
    steps: int
    read_at: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.step_ms * self.steps
