"""One table, four forms: JSON, CSV, Arrow IPC stream and Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import Request, Response

from services.common.errors import InvalidRequest


class Type(StrEnum):
    """What a column holds, in every form of the table."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    TIME = "time"
    """Aware datetimes: RFC 3339 with the offset they carry in JSON and CSV, UTC in Arrow and Parquet."""
    JSON = "json"
    """Nested values: as they are in JSON, JSON text in the other forms."""


_ARROW = {
    Type.TEXT: pa.string(),
    Type.COUNT: pa.int64(),
    Type.MONEY: pa.decimal128(38, 2),
    Type.RATIO: pa.float64(),
    Type.TIME: pa.timestamp("ms", tz="UTC"),
    Type.JSON: pa.string(),
}

_CENT = Decimal("0.01")

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
class Column:
    """A column's name and type."""

    name: str
    type: Type


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


def money_text(amount: Decimal | int) -> str:
    """An amount as the contract writes it: a decimal string with two decimals."""
    return format(Decimal(amount).quantize(_CENT, rounding=ROUND_HALF_UP), "f")


def time_text(moment: datetime) -> str:
    """RFC 3339, with milliseconds only where there are some."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def json_value(kind: Type, value: Any) -> Any:
    """A cell as it stands in JSON."""
    if value is None:
        return None
    if kind is Type.MONEY:
        return money_text(value)
    if kind is Type.TIME:
        return time_text(value)
    return value


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
) -> Response:
    """The table in the form that the request asks for, with what is told of it."""
    form = requested_format(request)
    if form == "json":
        body = json.dumps(json_table(columns, rows, about), ensure_ascii=False, separators=(",", ":")).encode()
    elif form == "csv":
        body = _csv(columns, rows)
    else:
        body = _arrow(columns, rows, about, parquet=form == "parquet")
    media = "text/csv; charset=utf-8" if form == "csv" else MEDIA_TYPES[form]
    return Response(body, media_type=media, headers={"Vary": "Accept", **about.headers})


def _csv(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_flat(column.type, json_value(column.type, row.get(column.name))) for column in columns])
    return out.getvalue().encode()


def _flat(kind: Type, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if kind is Type.JSON and value is not None else value


def _arrow(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], about: About, *, parquet: bool) -> bytes:
    arrays = []
    for column in columns:
        values = [_flat(column.type, row.get(column.name)) for row in rows]
        if column.type is Type.MONEY:
            values = [None if v is None else Decimal(v).quantize(_CENT, rounding=ROUND_HALF_UP) for v in values]
        arrays.append(pa.array(values, type=_ARROW[column.type]))
    table = pa.Table.from_arrays(arrays, names=[column.name for column in columns])
    table = table.replace_schema_metadata(about.metadata or None)
    sink = pa.BufferOutputStream()
    if parquet:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return bytes(sink.getvalue())
