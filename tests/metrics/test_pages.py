"""Tables in pages and in portions."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common import encoding
from services.common.paging import AnyPage, Sorted
from services.common.problems import add_problem_handlers
from services.common.store import Store
from services.common.tabular import About, Column, Type, tabular_response
from tests.metrics.conftest import Desk
from tests.metrics.test_http import BODY, NOW, order
from tests.support.rows import insert_rows

COLUMNS = [
    Column("name", Type.TEXT),
    Column("amount", Type.MONEY),
    Column("share", Type.RATIO),
    Column("number", Type.COUNT),
    Column("at", Type.TIME),
    Column("labels", Type.JSON),
]


class Shelf:
    """A table over HTTP that a test changes between two pages."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], by: Sequence[Sorted] | None = None) -> None:
        self.rows = rows
        self.by = by
        app = FastAPI()
        add_problem_handlers(app)

        @app.get("/table")
        async def table(request: Request, page: AnyPage) -> Response:
            about = About({"said": 1}, {"Warroom-Said": "1"})
            return tabular_response(request, COLUMNS, self.rows, about, page=page, order=self.by)

        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shelf")

    async def pages(self, **params: str) -> list[list[dict[str, Any]]]:
        """All pages, by their links."""
        found = []
        answer = await self.client.get("/table", params=params)
        while True:
            found.append(answer.json()["rows"])
            assert (answer.json()["next_cursor"] is None) == ("link" not in answer.headers)
            if "link" not in answer.headers:
                return found
            assert len(found) < 100
            answer = await self.client.get(answer.links["next"]["url"])


def row(number: int, /, **fields: Any) -> dict[str, Any]:
    return {
        "name": f"name-{number}",
        "amount": Decimal(number) / 3,
        "share": number / 7,
        "number": number,
        "at": datetime(2026, 11, 11, tzinfo=UTC) + timedelta(milliseconds=number),
        "labels": {"n": number},
        **fields,
    }


VALUES = st.fixed_dictionaries(
    {
        "amount": st.none() | st.decimals(0, 5, places=3),
        "share": st.none() | st.floats(0, 1),
        "number": st.none() | st.integers(0, 5),
        "at": st.none() | st.integers(0, 5).map(lambda each: NOW + timedelta(milliseconds=each)),
    }
)


@given(
    st.lists(VALUES, max_size=12),
    st.sampled_from(["amount", "share", "number", "at", "name"]),
    st.booleans(),
    st.integers(1, 5),
    st.data(),
)
@settings(deadline=None)
async def test_pages_put_together_are_the_table_whatever_comes_between(
    values: list[dict[str, Any]], column: str, descending: bool, limit: int, data: st.DataObject
) -> None:
    """Catches: a row twice or never because of ties, nulls, roundings, or rows that come and go between two pages."""

    def sort(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        by_name = sorted(rows, key=lambda each: str(each["name"]))
        known = [each for each in by_name if each[column] is not None]
        known.sort(key=lambda each: each[column], reverse=descending)
        return known + [each for each in by_name if each[column] is None]

    rows = [row(number, **fields) for number, fields in enumerate(values)]
    kept, coming = rows[::2], rows[1::2]
    shelf = Shelf(sort(kept), [Sorted(column, descending), Sorted("name")])
    if column == "name" and descending:
        shelf.by = [Sorted("name", descending=True)]
    seen: list[str] = []
    answer = await shelf.client.get("/table", params={"limit": limit})
    while True:
        seen += [each["name"] for each in answer.json()["rows"]]
        if answer.json()["next_cursor"] is None:
            break
        shelf.rows = sort(
            [*kept, *data.draw(st.lists(st.sampled_from(coming), unique_by=id) if coming else st.just([]))]
        )
        answer = await shelf.client.get("/table", params={"limit": limit, "cursor": answer.json()["next_cursor"]})
    assert len(set(seen)) == len(seen)
    old = {each["name"] for each in kept}
    assert [name for name in seen if name in old] == [each["name"] for each in sort(kept)]


async def test_without_an_order_a_page_goes_on_behind_its_last_row() -> None:
    """Catches: rows that moved up and are shown twice; two rows with the same texts taken for one."""
    rows = [row(number, name=f"name-{number // 2}") for number in range(6)]
    shelf = Shelf(rows)
    assert [[each["number"] for each in page] for page in await shelf.pages(limit="3")] == [[0, 1, 2], [3, 4, 5]]
    answer = (await shelf.client.get("/table", params={"limit": 3})).json()
    shelf.rows = [row(99), *rows]
    rest = await shelf.client.get("/table", params={"limit": 3, "cursor": answer["next_cursor"]})
    assert [each["number"] for each in rest.json()["rows"]] == [3, 4, 5]
    # The last row itself has gone.
    shelf.rows = [*rows[:2], *rows[4:]]
    rest = await shelf.client.get("/table", params={"limit": 3, "cursor": answer["next_cursor"]})
    assert rest.status_code == 200


@pytest.mark.parametrize("by", [None, [Sorted("number")]])
async def test_a_cursor_that_was_changed_or_is_of_another_question_is_refused(by: list[Sorted] | None) -> None:
    """Catches: a page of some other table, or an internal error, for a cursor that somebody edited."""
    shelf = Shelf([row(number) for number in range(5)], by)
    cursor = (await shelf.client.get("/table?limit=2")).json()["next_cursor"]
    assert (await shelf.client.get("/table", params={"limit": 4, "cursor": cursor, "format": "csv"})).is_success
    forged = base64.urlsafe_b64encode(b"0" * 12 + b"[3]").decode()
    for changed in ("", "x", cursor[:-1], cursor + "AAAA", cursor.swapcase(), "é", forged, "A" * 5000):
        answer = await shelf.client.get("/table", params={"limit": 2, "cursor": changed})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor"), changed
    answer = await shelf.client.get("/table", params={"limit": 2, "cursor": cursor, "other": "question"})
    assert answer.json()["field"] == "cursor"


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "200001", "9" * 30, "²"])
async def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    """Catches: a limit that is cut to the most without a word."""
    answer = await Shelf([]).client.get("/table", params={"limit": limit})
    assert (answer.status_code, answer.json()["field"]) == (422, "limit")


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 40])
async def test_portions_put_together_are_the_table(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Catches: a separator, a row or a head lost or doubled where one portion ends."""
    for module in ("services.common.encoding", "services.common.tabular"):
        monkeypatch.setattr(f"{module}.PORTION_ROWS", 4)
    monkeypatch.setattr(encoding, "GROUP_ROWS", 8)
    shelf = Shelf([row(number, amount=None if number % 3 else Decimal(number)) for number in range(count)])
    expected = (await shelf.client.get("/table")).json()
    assert expected["said"] == 1
    assert len(expected["rows"]) == count
    text = await shelf.client.get("/table?format=csv")
    read = list(csv.DictReader(io.StringIO(text.text, newline="")))
    assert [each["name"] for each in read] == [each["name"] for each in expected["rows"]]
    assert [json.loads(each["labels"]) for each in read] == [each["labels"] for each in expected["rows"]]
    arrow = await shelf.client.get("/table?format=arrow")
    parquet = await shelf.client.get("/table?format=parquet")
    file = pq.ParquetFile(pa.BufferReader(parquet.content))
    assert file.num_row_groups == -(-count // 8)
    batches = list(pa.ipc.open_stream(arrow.content))
    assert len(batches) == -(-count // 4)
    for table in (pa.ipc.open_stream(arrow.content).read_all(), file.read()):
        assert table.schema.metadata[b"warroom_said"] == b"1"
        assert table.column_names == expected["columns"]
        assert table.column("name").to_pylist() == [each["name"] for each in expected["rows"]]
        assert table.column("amount").to_pylist() == [
            None if each["amount"] is None else Decimal(each["amount"]) for each in expected["rows"]
        ]
    # What is held is a portion and no table.
    for answer in (arrow, parquet, text):
        assert ("content-length" in answer.headers) == (count <= 4)


async def test_every_table_of_a_campaign_comes_in_pages(store: Store, desk: Desk) -> None:
    """Catches: a table that knows no limit, and pages that are not the table."""
    await desk.client.put(desk.path, json=BODY)
    channels = ("app", "web", "live", "store")
    insert_rows(
        store,
        "order_events",
        [
            {
                **order(desk.campaign, 5, cents, channel=channels[cents % 4]),
                "event_name": name,
                "event_id": name + str(cents),
            }
            for cents in (1, 2, 3, 4, 5)
            for name in ("order_created", "order_paid")
        ],
    )
    insert_rows(
        store,
        "stock_events",
        [
            {
                "event_name": "stock_level",
                "event_time": NOW,
                "campaign_id": desk.campaign,
                "item_id": item,
                "available": 3,
            }
            for item in ("a", "b", "c")
        ],
    )
    insert_rows(
        store,
        "traffic_events",
        [
            {
                "event_name": "page_view",
                "event_time": NOW - timedelta(minutes=5),
                "campaign_id": desk.campaign,
                "user_id": f"user-{number}",
                "channel": channel,
            }
            for number, channel in enumerate(channels)
        ],
    )
    period = {"from": "2026-11-10T23:50:00Z", "to": "2026-11-11T00:00:00Z"}
    calls: list[tuple[str, dict[str, str]]] = [
        ("/api/v1/metrics", {}),
        ("/api/v1/campaigns", {}),
        (f"{desk.path}/timeseries", {**period, "group_by": "channel"}),
        (f"{desk.path}/timeseries", {**period, "baseline": "yesterday"}),
        (f"{desk.path}/breakdown", {**period, "dimension": "channel", "order_by": "-gmv"}),
        (f"{desk.path}/breakdown", {**period, "dimension": "channel", "order_by": "channel"}),
        (f"{desk.path}/breakdown", {**period, "dimension": "channel", "metrics": "roas,gmv"}),
        (f"{desk.path}/funnel", {**period, "group_by": "channel"}),
        (f"{desk.path}/inventory", {}),
        (f"{desk.path}/ladder", period),
        (f"{desk.path}/attribution", {**period, "by": "channel"}),
    ]
    for path, query in calls:
        whole = (await desk.client.get(path, params={**query, "limit": "1000"})).json()
        assert whole["next_cursor"] is None
        assert len(whole["rows"]) > 2 or path.endswith("campaigns"), path
        size = max(2, len(whole["rows"]) // 5)
        rows: list[Any] = []
        answer = await desk.client.get(path, params={**query, "limit": str(size)})
        while True:
            assert len(answer.json()["rows"]) <= size
            rows += answer.json()["rows"]
            if "next" not in answer.links:
                break
            following = urlsplit(answer.links["next"]["url"])
            assert dict(parse_qsl(following.query))["cursor"] == answer.json()["next_cursor"]
            answer = await desk.client.get(answer.links["next"]["url"])
            assert answer.status_code == 200, answer.text
        assert rows == whole["rows"], (path, query)
