"""What a snapshot is about to tell: the campaign, the question, and how far everything has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.common.clock import MINUTE_MS, floor_minute
from services.common.query.completeness import Completeness
from services.common.query.question import Question
from services.metrics.baselines.choice import Baseline
from services.metrics.campaigns import KnownCampaign
from services.metrics.wall.lens import Lens


@dataclass(frozen=True, slots=True)
class Scene:
    """`moment_ms` is what the snapshot shows: now, or the moment that was asked for (`past`).

    `question` ends with the present minute, which has only begun, or, of a moment in the past, at its full minute.
    """

    lens: Lens
    campaign: KnownCampaign
    baseline: Baseline | None
    question: Question
    completeness: Completeness
    moment_ms: int
    past: bool = False

    @property
    def then(self) -> Completeness:
        """What was known, as it would have been told at the moment: nothing lies behind it."""
        return replace(self.completeness, as_of_ms=self.moment_ms)


def live_scene(lens: Lens, campaign: KnownCampaign, baseline: Baseline | None, completeness: Completeness) -> Scene:
    """The present, the current minute included."""
    now = completeness.as_of_ms
    question = lens.question(campaign, floor_minute(now) + MINUTE_MS)
    return Scene(lens, campaign, baseline, question, completeness, now)


def past_scene(
    lens: Lens, campaign: KnownCampaign, baseline: Baseline | None, completeness: Completeness, at_ms: int
) -> Scene:
    """What had happened until `at_ms`, as it is known now."""
    question = lens.question(campaign, floor_minute(at_ms))
    return Scene(lens, campaign, baseline, question, completeness, at_ms, past=True)
