"""Rows into bytes, a portion at a time: no form of a table is ever held whole."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.common.columns import CENT, Column, Type, json_value

Row = Mapping[str, Any]

PORTION_ROWS = 2_000
"""Rows that are encoded at a time; a record batch of an Arrow stream."""
GROUP_ROWS = 50_000
"""Rows of a Parquet row group: smaller ones compress and read badly."""

_ARROW = {
    Type.TEXT: pa.string(),
    Type.COUNT: pa.int64(),
    Type.MONEY: pa.decimal128(38, 2),
    Type.RATIO: pa.float64(),
    Type.NUMBER: pa.decimal128(38, 6),
    Type.FLAG: pa.bool_(),
    Type.TIME: pa.timestamp("ms", tz="UTC"),
    Type.JSON: pa.string(),
}

# https://owasp.org/www-community/attacks/CSV_Injection; a number is none, whatever its sign.
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20](?!\d+(\.\d+)?\Z)")

_PLACES = {Type.MONEY: CENT, Type.NUMBER: Decimal("0.000001")}


def json_portions(
    columns: Sequence[Column], rows: Iterable[Row], fields: Mapping[str, Any], next_cursor: str | None
) -> Iterator[bytes]:
    """`{..., "columns": [...], "rows": [{...}], "next_cursor": ...}`."""
    head = _json({**fields, "columns": [column.name for column in columns]})
    yield f'{head[:-1]},"rows":['.encode()
    before = ""
    for portion in _portions(rows, PORTION_ROWS):
        texts = (_json({c.name: json_value(c.type, row.get(c.name)) for c in columns}) for row in portion)
        yield (before + ",".join(texts)).encode()
        before = ","
    yield f'],"next_cursor":{_json(next_cursor)}}}'.encode()


def csv_portions(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """A line of names, then a line a row.

    A text that a spreadsheet would run as a formula stands behind an apostrophe, which makes it a text there, too:
    whoever sends events chooses the names of items. The other forms hold it as it is.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for portion in _portions(rows, PORTION_ROWS):
        for row in portion:
            writer.writerow([_cell(column.type, row.get(column.name)) for column in columns])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    if rest := out.getvalue():
        yield rest.encode()


def arrow_portions(columns: Sequence[Column], rows: Iterable[Row], metadata: Mapping[str, str]) -> Iterator[bytes]:
    """An Arrow IPC stream, a record batch a portion."""
    sink = _Drain()
    schema = _schema(columns, metadata)
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        yield sink.take()
        for portion in _portions(rows, PORTION_ROWS):
            writer.write_batch(_batch(columns, portion, schema))
            yield sink.take()
    yield sink.take()


def parquet_portions(columns: Sequence[Column], rows: Iterable[Row], metadata: Mapping[str, str]) -> Iterator[bytes]:
    """A Parquet file, a row group at a time."""
    sink = _Drain()
    schema = _schema(columns, metadata)
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema) as writer:
        for group in _portions(rows, GROUP_ROWS):
            batches = [
                _batch(columns, group[at : at + PORTION_ROWS], schema) for at in range(0, len(group), PORTION_ROWS)
            ]
            writer.write_table(pa.Table.from_batches(batches, schema), row_group_size=GROUP_ROWS)
            yield sink.take()
    yield sink.take()


class _Drain(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _schema(columns: Sequence[Column], metadata: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns], metadata=dict(metadata) or None)


def _batch(columns: Sequence[Column], rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column in columns:
        values = [_flat(column.type, row.get(column.name)) for row in rows]
        if (places := _PLACES.get(column.type)) is not None:
            values = [None if v is None else Decimal(v).quantize(places, rounding=ROUND_HALF_UP) for v in values]
        arrays.append(pa.array(values, type=_ARROW[column.type]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _portions(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while portion := list(islice(remaining, size)):
        yield portion


def _cell(kind: Type, value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind is Type.TEXT and value and _FORMULA.match(value):
        return f"'{value}"
    return _flat(kind, json_value(kind, value))


def _flat(kind: Type, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if kind is Type.JSON and value is not None else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
