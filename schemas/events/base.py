"""What every event has, and the forms of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from schemas.events.numbers import refuse
from schemas.events.times import parse_rfc3339


def _event_time(value: object) -> int:
    if not isinstance(value, str):
        raise refuse("must be a string")
    try:
        return parse_rfc3339(value)
    except ValueError as error:
        raise refuse(str(error)) from None


EventTime = Annotated[
    int,
    BeforeValidator(_event_time),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with offset: when it happened, not when it was sent.",
        }
    ),
]
"""RFC 3339 on the wire, epoch milliseconds in the model."""

CAMPAIGN_ID_PATTERN: Final = r"^[A-Za-z0-9_.-]{1,64}$"
REGION_PATTERN: Final = r"^([A-Z]{2}-[A-Z0-9]{1,3}|unknown)$"

EventId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
CampaignId = Annotated[str, StringConstraints(pattern=CAMPAIGN_ID_PATTERN)]
UserId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Channel = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Region = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
RequiredId = Annotated[str, StringConstraints(min_length=1)]


class Event(BaseModel):
    """Fields of every event. An optional field that is absent or `null` is None here."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    event_id: EventId = Field(description="The idempotency key: unique within its topic, over all campaigns.")
    event_name: str
    event_time: EventTime
    campaign_id: CampaignId
    channel: Channel | None = Field(
        None, description="E.g. app, web, mini_program, live, store; absent means `unknown`."
    )
    region: Region | None = Field(None, description="ISO 3166-2; absent means `unknown`.", examples=["CN-31"])

    @property
    def currency_code(self) -> str | None:
        """ISO 4217 code of the event's amounts; None where it names none."""
        return None

    def amounts(self) -> Iterator[tuple[str, Decimal]]:
        """Each amount with the path of its field, in the event's own currency."""
        return iter(())


class UserEvent(Event):
    """An event that somebody caused."""

    user_id: UserId = Field(description="Whoever caused it; stable within a campaign.")
