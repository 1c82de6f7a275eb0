"""The four forms of a table say the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conformance.campaigns import DST, FESTIVAL
from tests.conformance.oracle import METRICS, MONEY, instant
from tests.conformance.system import System

EVERY = ",".join(METRICS)

CALLS: list[tuple[str, dict[str, str]]] = [
    (f"/campaigns/{FESTIVAL}/breakdown", {"dimension": "channel", "metrics": EVERY, "limit": "1000"}),
    (f"/campaigns/{FESTIVAL}/breakdown", {"dimension": "item_id", "metrics": EVERY, "limit": "1000"}),
    (f"/campaigns/{FESTIVAL}/breakdown", {"dimension": "channel", "metrics": "gmv", "from": "2020-01-01T00:00:00Z",
                                          "to": "2020-01-02T00:00:00Z"}),
    (f"/campaigns/{FESTIVAL}/timeseries", {"interval": "1h", "metrics": EVERY, "to": "2025-11-12T00:00:00+08:00"}),
    (f"/campaigns/{DST}/timeseries", {"interval": "1d", "metrics": EVERY, "group_by": "channel",
                                      "to": "2025-11-05T00:00:00-05:00"}),
    (f"/campaigns/{FESTIVAL}/funnel", {"group_by": "device_category"}),
    (f"/campaigns/{FESTIVAL}/inventory", {"to": "2025-11-12T00:00:00+08:00"}),
]  # fmt: skip

MEDIA = {
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


@pytest.mark.parametrize(("path", "query"), CALLS)
def test_forms_agree(system: System, path: str, query: dict[str, str]) -> None:
    """Same columns in the same order, same rows, nulls as nulls, money without a rounding; by `format` or `Accept`."""
    table = system.get(path, **query)
    for form, media in MEDIA.items():
        by_name = system.http.get(f"/api/v1{path}", params={**query, "format": form}, headers={"Accept": "text/html"})
        by_accept = system.http.get(f"/api/v1{path}", params=query, headers={"Accept": media})
        for answer in (by_name, by_accept):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(media)
            columns, rows = _read(form, answer.content)
            assert columns == table["columns"]
            assert len(rows) == len(table["rows"])
            for said, expected in zip(rows, table["rows"], strict=True):
                for name in columns:
                    assert _agrees(form, name, said[name], expected[name]), (form, name, said[name], expected[name])


def _read(form: str, body: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    if form == "csv":
        first, *others = csv.reader(io.StringIO(body.decode(), newline=""))
        return first, [dict(zip(first, row, strict=True)) for row in others]
    table = pq.read_table(io.BytesIO(body)) if form == "parquet" else pa.ipc.open_stream(body).read_all()
    return table.column_names, table.to_pylist()


def _agrees(form: str, name: str, said: Any, expected: Any) -> bool:
    if expected is None:
        return said == "" if form == "csv" else said is None
    if isinstance(said, datetime):
        return said.astimezone(UTC) == instant(expected)
    if name in MONEY or isinstance(said, Decimal):
        # Not a float: a float of an amount is another amount.
        return isinstance(said, Decimal | str) and Decimal(said) == Decimal(expected)
    if form == "csv" and isinstance(expected, bool):
        return bool(said == ("true" if expected else "false"))
    if form == "csv" and not isinstance(expected, str):
        return float(said) == float(expected)
    return type(said) is type(expected) and bool(said == expected)
