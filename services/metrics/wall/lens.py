"""Which part of a campaign is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.common.query.question import Question
from services.common.tabular import time_text
from services.metrics.campaigns import KnownCampaign


@dataclass(frozen=True, slots=True)
class Lens:
    """A campaign and the filters that are laid over everything that is told of it.

    `filters` are ordered by dimension and their values by name: two viewers of the same have equal lenses.
    """

    campaign_id: str
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, campaign_id: str, filters: Mapping[str, tuple[str, ...]]) -> Lens:
        """The lens of filters as they were asked for."""
        return cls(campaign_id, tuple(sorted((name, tuple(sorted(set(values)))) for name, values in filters.items())))

    def question(self, campaign: KnownCampaign, end_ms: int) -> Question:
        """Everything of the campaign up to `end_ms` (a whole minute) that the filters keep."""
        return Question(
            campaign.campaign_id,
            campaign.start_ms,
            max(campaign.start_ms, end_ms),
            filters=dict(self.filters),
            phases=campaign.phases,
            extent=campaign.extent,
        )

    def told(self, campaign: KnownCampaign, at_ms: int | None = None) -> dict[str, Any]:
        """The lens as a snapshot says it: one value of a dimension as a text, several as a list; the moment that was
        asked for on the campaign's clock, or None for now."""
        return {
            "filters": {name: values[0] if len(values) == 1 else list(values) for name, values in self.filters},
            "at": None if at_ms is None else time_text(campaign.local(at_ms)),
        }
