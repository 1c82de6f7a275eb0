"""The parameter `baseline`: what it may say, and the comparison that it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from schemas.campaigns import CAMPAIGN_ID
from services.common.clock import MINUTE_MS, floor_minute
from services.common.errors import InvalidRequest, NotFound
from services.common.query.question import PhaseSpan, Question
from services.metrics.baselines.shifts import ByClock, ByDistance, Shift
from services.metrics.campaigns import CampaignBook, KnownCampaign
from services.metrics.params import LATEST_MS

_DAYS = {"yesterday": 1, "last_week": 7}
_KINDS = ("none", "campaign", *_DAYS)


@dataclass(frozen=True, slots=True)
class Choice:
    """A baseline as it is asked for; without `campaign_id` the declared campaign, or the same for past days."""

    kind: str
    campaign_id: str | None = None


DECLARED = Choice("campaign")
"""What is compared with when nothing is said."""


def parse_baseline(text: str | None) -> Choice:
    """`campaign`, `yesterday` or `last_week`, each with `:<id>` or without, or `none`. Raises `InvalidRequest`."""
    if text is None:
        return DECLARED
    kind, colon, campaign_id = text.partition(":")
    if kind not in _KINDS or (colon and (kind == "none" or re.match(CAMPAIGN_ID, campaign_id) is None)):
        raise InvalidRequest(
            "baseline",
            "must be none, campaign, yesterday or last_week, the last three also with a campaign: last_week:ID",
        )
    return Choice(kind, campaign_id or None)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a campaign is compared with: the events of `campaign`, at the moments that `shift` gives."""

    kind: str
    campaign: KnownCampaign
    shift: Shift

    def question(self, question: Question, now_ms: int) -> Question:
        """The same question about what is compared; its period ends no later than the present minute's counterpart."""
        start = self.shift.moment(question.start_ms)
        end = self.shift.moment(min(question.end_ms, floor_minute(now_ms) + MINUTE_MS))
        phases = self.campaign.phases
        if self.kind != "campaign":
            # Past days know no phases of their own: each is compared with the same hours.
            phases = tuple(
                PhaseSpan(phase.name, self.shift.moment(phase.start_ms), self.shift.moment(phase.end_ms))
                for phase in question.phases
            )
        return replace(
            question,
            campaign_id=self.campaign.campaign_id,
            start_ms=_within_range(start),
            end_ms=_within_range(max(start, end)),
            phases=phases,
            buckets=(),
        )


def unknown_baseline(campaign_id: str) -> InvalidRequest:
    """What is said of a campaign that nobody knows, and of one that the asker is told nothing of."""
    return InvalidRequest("baseline", f"no campaign named {campaign_id!r}")


def _within_range(ms: int) -> int:
    return min(max(ms, 0), LATEST_MS)


async def find_baseline(book: CampaignBook, campaign: KnownCampaign, choice: Choice) -> Baseline | None:
    """None when nothing is to be compared. Raises `InvalidRequest` for a campaign that nobody knows."""
    if choice.kind == "none":
        return None
    other = campaign
    if choice.campaign_id is not None:
        try:
            other = await book.get(choice.campaign_id)
        except NotFound:
            raise unknown_baseline(choice.campaign_id) from None
    elif choice.kind == "campaign":
        declared = campaign.declared.baseline_campaign_id if campaign.declared is not None else None
        if declared is None:
            return None
        try:
            other = await book.get(declared)
        except NotFound:
            # It may be declared before its first event.
            return None
    if choice.kind == "campaign":
        return Baseline(choice.kind, other, ByDistance(other.start_ms - campaign.start_ms))
    return Baseline(choice.kind, other, ByClock(_DAYS[choice.kind], campaign.zone))
