"""What visitors do, in the vocabulary of GA4."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from schemas.events.base import UserEvent
from schemas.events.numbers import Count

KNOWN_NAMES: Final = (
    "page_view",
    "view_item",
    "add_to_cart",
    "begin_checkout",
    "view_promotion",
    "select_promotion",
)
"""Names that metrics know; any other snake_case name counts in `uv` and `sessions` alone."""

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,63}$"


class TrafficEvent(UserEvent):
    """One thing a visitor did. Record key: `user_id`."""

    event_name: Annotated[str, StringConstraints(pattern=NAME_PATTERN)] = Field(
        description=f"One of {', '.join(KNOWN_NAMES)}, or any other snake_case name.", examples=list(KNOWN_NAMES)
    )
    session_id: str | None = None
    item_id: str | None = None
    item_category: str | None = None
    page_location: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    device_category: str | None = None
    engagement_time_msec: Count | None = Field(None, description="Milliseconds of attention.")
    experiment: str | None = None
    variant: str | None = None
