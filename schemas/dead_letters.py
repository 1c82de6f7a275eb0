"""The record on the dead-letter topic: what was refused, from where, and why."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Reason = Literal[
    "invalid_json",
    "schema_violation",
    "unknown_event_name",
    "unsupported_currency",
    "event_time_out_of_range",
    "too_large",
]
"""Why a record was refused."""

REASONS: Final[tuple[str, ...]] = get_args(Reason)

Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]


class DeadLetter(BaseModel):
    """A record that was refused. Record key: the key of the refused record."""

    model_config = ConfigDict(frozen=True)

    reason: Reason
    detail: str = Field(description="The field at fault, then what is wrong with it.")
    topic: str = Field(description="Where the record came from.")
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    key: str | None = Field(description="The record's key.")
    value: Base64 = Field(description="The record's bytes; empty where it had none, or where the detail says so.")
    received_at: AwareDatetime = Field(description="When ingest read the record.")
