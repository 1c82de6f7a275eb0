"""Who asks, and who did what."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from schemas.http.shapes.base import Moment


class GrantRow(BaseModel):
    """A role for campaigns: ids, with `*` for any characters."""

    role: str
    campaigns: list[str]


class SessionAnswer(BaseModel):
    """Who asks. Without `login` nobody is asked who they are; `session` is one that can be signed out of. `operates`:
    the campaigns whose alerts they may acknowledge and silence."""

    login: bool
    name: str | None
    role: str | None
    grants: list[GrantRow]
    session: bool
    operates: list[str]


class ActivityRow(BaseModel):
    """One thing that somebody did or tried."""

    id: str
    at: Moment
    actor: str
    subject: str
    role: str
    how: str
    action: str
    campaign_id: str
    target: str
    result: str
    detail: dict[str, Any]
