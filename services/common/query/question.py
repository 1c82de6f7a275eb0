"""What can be asked of a campaign's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNKNOWN = "unknown"
"""The value of a dimension for events that could carry it and do not."""


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase of a campaign: `[start_ms, end_ms)`, floored to the minute."""

    name: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Extent:
    """When the first and the last event of a campaign happened (epoch ms)."""

    campaign_id: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Question:
    """Measures over `[start_ms, end_ms)` (whole minutes) of one campaign.

    `filters` keeps the events whose dimension has one of the values; `group_by` answers per value of a dimension;
    `buckets` answers per span of time, given by the ascending starts of all spans (epoch ms). `extent` is where events
    are known to be, of this campaign or another.
    """

    campaign_id: str
    start_ms: int
    end_ms: int
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_by: str | None = None
    buckets: tuple[int, ...] = ()
    phases: tuple[PhaseSpan, ...] = ()
    extent: Extent | None = None

    @property
    def everything(self) -> bool:
        """No event of the campaign lies outside the period, which makes some questions cheaper."""
        known = self.extent
        return (
            known is not None
            and known.campaign_id == self.campaign_id
            and self.start_ms <= known.first_ms
            and known.last_ms < self.end_ms
        )

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions that an event must carry to take part in the answer."""
        named = set(self.filters)
        if self.group_by is not None:
            named.add(self.group_by)
        return frozenset(named)
