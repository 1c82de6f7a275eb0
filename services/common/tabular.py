"""One table, four forms: JSON, CSV, Arrow IPC stream and Parquet, streamed and in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from services.common.columns import Column, Type, json_value, money_text, time_text
from services.common.encoding import PORTION_ROWS, arrow_portions, csv_portions, json_portions, parquet_portions
from services.common.errors import InvalidRequest
from services.common.paging import WHOLE, Page, Sorted, cut, next_link

__all__ = [
    "MEDIA_TYPES",
    "NOTHING_SAID",
    "TABLE_FORMS",
    "About",
    "Column",
    "Type",
    "json_table",
    "json_value",
    "money_text",
    "requested_format",
    "tabular_response",
    "time_text",
]

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}

TABLE_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for name, media in MEDIA_TYPES.items() if name != "json"}}
}
"""For a route's `responses`: the forms beside JSON."""


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a table as a whole.

    `fields` stand beside `columns` and `rows` in JSON. `headers` are sent with every form; in Arrow and Parquet the
    schema's metadata holds them too, `Warroom-As-Of` as `warroom_as_of`.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, str]:
        """The headers under their names in a schema."""
        return {name.lower().replace("-", "_"): value for name, value in self.headers.items()}


NOTHING_SAID = About()


def json_table(
    columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], about: About = NOTHING_SAID
) -> dict[str, Any]:
    """`{"columns": [...], "rows": [{...}]}`, with what is told of it."""
    return {
        **about.fields,
        "columns": [column.name for column in columns],
        "rows": [{c.name: json_value(c.type, row.get(c.name)) for c in columns} for row in rows],
    }


def requested_format(request: Request) -> str:
    """The form that `?format=` or, without it, `Accept` asks for. Raises `InvalidRequest` for an unknown `format`."""
    named = request.query_params.get("format")
    if named is not None:
        if named not in MEDIA_TYPES:
            raise InvalidRequest("format", "must be json, csv, arrow or parquet")
        return named
    for item in request.headers.get("accept", "").split(","):
        media = item.split(";")[0].strip().lower()
        for name, known in MEDIA_TYPES.items():
            if media == known:
                return name
    return "json"


def tabular_response(
    request: Request,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    about: About = NOTHING_SAID,
    *,
    page: Page = WHOLE,
    order: Sequence[Sorted] | None = None,
) -> Response:
    """A page of the table in the form that the request asks for, with what is told of it.

    `rows` are those from the table's beginning, `page.reach` of them or more; `services.common.paging.cut` says what
    `order` is for. Where there is a next page, `next_cursor` in JSON and a `Link` header in every form lead to it. More
    than a portion of rows is encoded while it is sent.
    """
    shown, following = cut(request, columns, rows, page, order)
    return table_page(request, columns, shown, about, following)


def table_page(
    request: Request,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    about: About = NOTHING_SAID,
    following: str | None = None,
    cursor_name: str = "cursor",
) -> Response:
    """Rows that are a page already; `following` is the cursor of the next one, asked for under `cursor_name`."""
    form = requested_format(request)
    headers = {"Vary": "Accept", **about.headers}
    if following is not None:
        headers["Link"] = next_link(request, following, cursor_name)
    portions = _portions(form, columns, rows, about, following)
    media = "text/csv; charset=utf-8" if form == "csv" else MEDIA_TYPES[form]
    if len(rows) <= PORTION_ROWS:
        return Response(b"".join(portions), media_type=media, headers=headers)
    # What cannot be encoded at all is to be a problem document, and no answer cut short.
    return StreamingResponse(chain([next(portions)], portions), media_type=media, headers=headers)


def _portions(
    form: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], about: About, following: str | None
) -> Iterator[bytes]:
    if form == "json":
        return json_portions(columns, rows, about.fields, following)
    if form == "csv":
        return csv_portions(columns, rows)
    encode = parquet_portions if form == "parquet" else arrow_portions
    return encode(columns, rows, about.metadata)
