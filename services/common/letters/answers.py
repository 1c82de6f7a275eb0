"""Letters and redrives as they stand in JSON: what the API answers and what the command prints."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.dead_letters import REASONS
from schemas.events.times import parse_rfc3339
from services.common.clock import to_datetime
from services.common.errors import InvalidRequest
from services.common.letters.fix import Fix
from services.common.letters.letter import Cursor, Letter, Selection
from services.common.letters.place import Place
from services.common.letters.redrive import MOST_LETTERS, Report, Request
from services.common.tabular import Column, Type, time_text

COLUMNS = [
    Column("received_at", Type.TIME),
    Column("topic", Type.TEXT),
    Column("partition", Type.COUNT),
    Column("offset", Type.COUNT),
    Column("reason", Type.TEXT),
    Column("detail", Type.TEXT),
    Column("key", Type.TEXT),
    Column("value", Type.TEXT),
    Column("value_bytes", Type.COUNT),
    Column("redriven_at", Type.TIME),
    Column("redriven_to", Type.TEXT),
]
"""Of the table of letters. `value` is base64, and null where a page would be too large with it."""

_Fields = Annotated[dict[str, str], Field(max_length=100)]


_LATEST_MS = 4_294_967_000_000


class RedriveBody(BaseModel):
    """Body of `POST /api/v1/dead-letters/redrive`."""

    model_config = ConfigDict(extra="forbid")

    letters: Annotated[list[str], Field(max_length=MOST_LETTERS)] = Field(
        [], description="`topic/partition/offset` of each letter; or else a selection"
    )
    reason: str | None = Field(None, description="select letters of this reason")
    topic: str | None = Field(None, description="select letters of this topic")
    start: str | None = Field(None, alias="from", description="select letters received since, RFC 3339")
    end: str | None = Field(None, alias="to", description="select letters received before, RFC 3339")
    all: bool = Field(False, description="select every letter")
    after: str | None = Field(None, description="continue behind the `next` of the answer before")
    limit: int = Field(MOST_LETTERS, ge=1, le=MOST_LETTERS, description="letters of a selection in this call")
    value: str | None = Field(None, description="for one letter: base64 of the record to send instead")
    fields: _Fields = Field({}, alias="set", description="for one letter: JSON text by path, such as items[0].price")
    dry_run: bool = Field(False, description="only say what would be sent")
    force: bool = Field(False, description="send even what would be refused again")

    def request(self) -> Request:
        """Raises `InvalidRequest`."""
        chosen = selection(self.reason, self.topic, self.start, self.end, redriven=False)
        selects = self.all or chosen != Selection(redriven=False)
        return Request(
            places=[Place.parse(text) for text in self.letters],
            selection=chosen if selects else None,
            after=None if self.after is None else Cursor.parse(self.after),
            limit=self.limit,
            fix=Fix(_decoded(self.value), {path: text.encode() for path, text in self.fields.items()}),
            dry_run=self.dry_run,
            force=self.force,
        )


def selection(
    reason: str | None, topic: str | None, start: str | None, end: str | None, *, redriven: bool | None
) -> Selection:
    """A selection from texts. Raises `InvalidRequest` with the field at fault."""
    if reason is not None and reason not in REASONS:
        raise InvalidRequest("reason", f"must be one of {', '.join(REASONS)}")
    start_ms, end_ms = _moment("from", start), _moment("to", end)
    if start_ms is not None and end_ms is not None and end_ms < start_ms:
        raise InvalidRequest("to", "must not be before from")
    return Selection(reason, topic, start_ms, end_ms, redriven)


def letter_row(letter: Letter, value: bytes | None) -> dict[str, Any]:
    """A row of `COLUMNS`."""
    return {
        "received_at": to_datetime(letter.received_at),
        "topic": letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "key": letter.key,
        "value": None if value is None else base64.b64encode(value).decode(),
        "value_bytes": letter.value_bytes,
        "redriven_at": None if letter.redriven_at is None else to_datetime(letter.redriven_at),
        "redriven_to": None if letter.redriven_to is None else str(letter.redriven_to),
    }


def letter_answer(letters: Sequence[Letter], values: Mapping[tuple[Place, int], bytes]) -> dict[str, Any]:
    """The newest letter of a place with its value, and when the earlier ones of that place were received."""
    first, *earlier = letters
    row = letter_row(first, values[first.identity])
    return {
        **{name: time_text(cell) if name.endswith("_at") and cell else cell for name, cell in row.items()},
        "earlier": [time_text(to_datetime(letter.received_at)) for letter in earlier],
    }


def report_answer(report: Report) -> dict[str, Any]:
    """What a redrive did, letter by letter."""
    return {
        "letters": [
            {
                "letter": str(result.letter.place),
                "received_at": time_text(to_datetime(result.letter.received_at)),
                "outcome": result.outcome.value,
                "detail": result.detail,
                "to": None if result.destination is None else str(result.destination),
            }
            for result in report.results
        ],
        "next": None if report.next is None else str(report.next),
    }


def _decoded(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidRequest("value", "must be base64") from None


def _moment(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        # In a query an unescaped + arrives as a space.
        moment = parse_rfc3339(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidRequest(field, f"{error}; write it such as 2026-11-11T00:00:00+08:00") from None
    if not 0 <= moment < _LATEST_MS:
        raise InvalidRequest(field, "must be between 1970 and 2106")
    return moment
