"""Which claims of a provider give which roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.common.access.roles import EVERY, PATTERN, Grant, Role, Scope, united


class RoleRule(BaseModel):
    """One line of `WARROOM_OIDC_ROLES`: who has `value` in `claim` has the role for these campaigns.

    `claim` may lead into objects: `realm_access.roles`. A claim that is a list holds each of its texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: Annotated[str, Field(min_length=1, max_length=200)]
    value: Annotated[str, Field(min_length=1, max_length=500)]
    role: Annotated[str, Field(pattern="^(viewer|operator|admin)$")]
    campaigns: tuple[Annotated[str, Field(pattern=PATTERN)], ...] = (EVERY,)

    @field_validator("campaigns")
    @classmethod
    def _some(cls, campaigns: tuple[str, ...]) -> tuple[str, ...]:
        if not campaigns:
            raise ValueError("must name campaigns, or be left out for all of them")
        return campaigns


def claim_of(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The texts of a claim; none where it is absent or something else. A claim that is called `a.b` wins over `b` of
    `a`: providers name claims like addresses."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list):
        return tuple(item for item in found if isinstance(item, str))
    return ()


def matched(claims: Mapping[str, Any], rules: Iterable[RoleRule]) -> dict[str, list[str]]:
    """Of the claims, what rules speak of: all that a session has to remember of them."""
    kept: dict[str, list[str]] = {}
    for rule in rules:
        if rule.value in claim_of(claims, rule.claim) and rule.value not in kept.setdefault(rule.claim, []):
            kept[rule.claim].append(rule.value)
    return {claim: values for claim, values in kept.items() if values}


def grants_of(claims: Mapping[str, Any], rules: Iterable[RoleRule]) -> tuple[Grant, ...]:
    """All that the rules give, together."""
    return united(
        Grant(Role.of(rule.role), Scope(rule.campaigns)) for rule in rules if rule.value in claim_of(claims, rule.claim)
    )
