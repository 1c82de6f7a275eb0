"""A table in pages: `limit` rows, and a cursor that goes on exactly behind the last one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from services.common.columns import Column, Type, json_value
from services.common.errors import InvalidRequest

MOST_ROWS = 200_000
PAGING = ("limit", "cursor")
"""The query parameters of a page."""

# What does not make another table.
_NOT_THE_QUESTION = frozenset({*PAGING, "format"})


@dataclass(frozen=True, slots=True)
class Page:
    """The rows that a request asks for: `limit` of them (None: all), behind the one that `cursor` names."""

    limit: int | None = None
    cursor: str | None = None

    @property
    def reach(self) -> int | None:
        """How many rows from the table's beginning the page can need, one more than it shows; None: all."""
        return self.limit + 1 if self.limit is not None and self.cursor is None else None


WHOLE = Page()


@dataclass(frozen=True, slots=True)
class Sorted:
    """A column that a table is sorted by; nulls come last in either direction."""

    column: str
    descending: bool = False


def paging(default: int | None, most: int = MOST_ROWS) -> Callable[..., Page]:
    """A FastAPI dependency that reads the page; `default` rows unless the request says how many."""

    def page(
        # As defaults: annotations are read where `default` and `most` are not known.
        limit: str | None = Query(None, description=f"rows of a page, 1 to {most}; default {default or 'all'}"),
        cursor: str | None = Query(
            None, description="goes on behind a page: its `next_cursor`, with the same other parameters"
        ),
    ) -> Page:
        if limit is None:
            return Page(default, cursor)
        if not limit.isascii() or not limit.isdigit() or len(limit) > 9 or not 1 <= int(limit) <= most:
            raise InvalidRequest("limit", f"must be a whole number from 1 to {most}")
        return Page(int(limit), cursor)

    return page


AnyPage = Annotated[Page, Depends(paging(None))]
"""A page of a table that is answered whole unless a limit is given."""


def cut(
    request: Request,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    page: Page,
    order: Sequence[Sorted] | None,
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """The rows of the page and the cursor of the next one.

    With an `order` the next page holds what sorts behind the last row, whatever has come or gone since; its columns
    must tell every two rows apart. Without one it goes on behind the row with the same texts, or at the same place if
    that row is gone. Raises `InvalidRequest` for a cursor that was not given for this very question.
    """
    types = {column.name: column.type for column in columns}
    first = 0
    if page.cursor is not None:
        said = _open(request, page.cursor)
        first = _behind(said, rows, types, order) if order else _after_texts(said, rows, types)
    end = len(rows) if page.limit is None else first + page.limit
    shown = rows[first:end]
    if end >= len(rows) or not shown:
        return shown, None
    last = rows[end - 1]
    if order:
        said = [_written(types[by.column], last[by.column]) for by in order]
    else:
        texts = _texts(last, types)
        said = [texts, sum(_texts(row, types) == texts for row in rows[: end - 1]), end]
    return shown, _sealed(request, said)


def next_link(request: Request, cursor: str, name: str = "cursor") -> str:
    """A `Link` header to the next page."""
    query = [(key, value) for key, value in request.query_params.multi_items() if key not in ("cursor", name)]
    return f'<{request.url.path}?{urlencode([*query, (name, cursor)])}>; rel="next"'


def _behind(said: Any, rows: Sequence[Mapping[str, Any]], types: Mapping[str, Type], order: Sequence[Sorted]) -> int:
    try:
        last = [_read(types[by.column], value) for by, value in zip(order, said, strict=True)]
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if _is_behind(rows[middle], last, types, order):
                high = middle
            else:
                low = middle + 1
    except (TypeError, ValueError, ArithmeticError) as error:
        raise _refused() from error
    return low


def _is_behind(row: Mapping[str, Any], last: Sequence[Any], types: Mapping[str, Type], order: Sequence[Sorted]) -> bool:
    for by, bound in zip(order, last, strict=True):
        value = _comparable(types[by.column], row[by.column])
        if value == bound:
            continue
        if value is None or bound is None:
            return value is None
        return bool(value < bound if by.descending else value > bound)
    return False


def _after_texts(said: Any, rows: Sequence[Mapping[str, Any]], types: Mapping[str, Type]) -> int:
    try:
        texts, occurrence, place = said
        found = [number for number, row in enumerate(rows) if _texts(row, types) == texts]
        return found[occurrence] + 1 if len(found) > occurrence >= 0 else max(0, int(place))
    except (TypeError, ValueError) as error:
        raise _refused() from error


def _texts(row: Mapping[str, Any], types: Mapping[str, Type]) -> list[Any]:
    return [row.get(name) for name, kind in types.items() if kind is Type.TEXT]


def _comparable(kind: Type, value: Any) -> Any:
    return float(value) if kind is Type.RATIO and value is not None else value


def _written(kind: Type, value: Any) -> Any:
    if kind is Type.MONEY and value is not None:
        # All its decimals: a rounded bound would show a row twice or never.
        return str(Decimal(value))
    return value.isoformat() if isinstance(value, datetime) else json_value(kind, _comparable(kind, value))


def _read(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind is Type.MONEY:
        return Decimal(value)
    if kind is Type.TIME:
        return datetime.fromisoformat(value)
    return float(value) if kind is Type.RATIO else value


def _sealed(request: Request, said: Any) -> str:
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(request, body) + body).decode().rstrip("=")


def _open(request: Request, cursor: str) -> Any:
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, body = data[:_SEAL_BYTES], data[_SEAL_BYTES:]
        if seal != _seal(request, body):
            raise _refused()
        return json.loads(body)
    except (binascii.Error, ValueError) as error:
        raise _refused() from error


_SEAL_BYTES = 12


def _seal(request: Request, body: bytes) -> bytes:
    """Ties a cursor to its question. It keeps mistakes out and no secret: a cursor grants nothing."""
    asked = sorted(item for item in request.query_params.multi_items() if item[0] not in _NOT_THE_QUESTION)
    question = json.dumps([request.url.path, asked], ensure_ascii=False).encode()
    return hashlib.blake2b(body, digest_size=_SEAL_BYTES, key=hashlib.blake2b(question).digest()).digest()


def _refused() -> InvalidRequest:
    return InvalidRequest("cursor", "is not what a page of this table gave as its next one")
