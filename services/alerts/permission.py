"""Which alerts and silences are whose."""

from __future__ import annotations

from collections.abc import Mapping

from services.alerts.matchers import Matcher
from services.common.access.roles import Principal, Role, Scope

PIPELINE = "*"
"""What alerts have for a campaign that are about the pipeline: they concern everybody who looks at numbers."""


def sees(scope: Scope, campaign_id: str) -> bool:
    """Whether an alert of that campaign is shown to whoever sees these."""
    return campaign_id == PIPELINE or scope.holds(campaign_id)


def campaign_of(matchers: Mapping[str, Matcher]) -> str | None:
    """The one campaign whose alerts alone a silence can mute; None for any other silence."""
    matcher = matchers.get("campaign_id")
    return matcher.value if matcher is not None and matcher.equal and not matcher.regex else None


def shows(scope: Scope, matchers: Mapping[str, Matcher]) -> bool:
    """Whether a silence is shown: one of a campaign of theirs, or one that names none, which mutes theirs too. One that
    says it by an expression may name others' campaigns."""
    if scope.everything or "campaign_id" not in matchers:
        return True
    campaign = campaign_of(matchers)
    return campaign is not None and scope.holds(campaign)


def operates(principal: Principal, matchers: Mapping[str, Matcher]) -> bool:
    """Whether they may add or end such a silence: it must reach no campaign that is not theirs to operate."""
    if principal.may(Role.OPERATOR):
        return True
    campaign = campaign_of(matchers)
    return campaign is not None and principal.may(Role.OPERATOR, campaign)
