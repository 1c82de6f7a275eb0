"""The HTTP paths of dead letters: pages, one letter, and what is wrong with a request."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pyarrow as pa
import pytest

from services.common.clock import to_datetime
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal, dead_letters
from services.metrics import dead_letters as routes
from services.metrics.service import MetricsService
from tests.support.broker import unique
from tests.support.shapes import judged

START = 1_890_000_000_000


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """A metrics service that was told of no Kafka."""
    transport = httpx.ASGITransport(build_app([MetricsService(Settings(), store, background=False)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield judged(client)


def put(store: Store, topic: str, number: int, value: bytes = b"{", *, at: int = START) -> None:
    """A block of so many refusals, all of one moment, as ingest writes them."""
    refusals = [Refusal(offset, b"k", value, "invalid_json", "not an object") for offset in range(number)]
    store.insert("dead_letters", dead_letters(BlockId(topic, 3, "a", 0, number, at), refusals))


async def pages(client: httpx.AsyncClient, path: str) -> list[list[int]]:
    """The offsets of each page, as the links lead."""
    found = []
    url: str | None = path
    while url is not None:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        found.append([row["offset"] for row in answer.json()["rows"]])
        url = answer.links.get("next", {}).get("url")
    return found


async def test_the_pages_hold_every_letter_once_though_all_are_of_one_moment(
    store: Store, client: httpx.AsyncClient
) -> None:
    topic = unique("t") + ".orders"
    put(store, topic, 10)
    assert await pages(client, f"/api/v1/dead-letters?topic={topic}&limit=4") == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]
    assert await pages(client, f"/api/v1/dead-letters?topic={topic}&limit=5&format=json") == [
        [9, 8, 7, 6, 5],
        [4, 3, 2, 1, 0],
        [],
    ]


async def test_the_time_of_receipt_bounds_a_page_half_open(store: Store, client: httpx.AsyncClient) -> None:
    topic = unique("t") + ".orders"
    for at in (START, START + 1, START + 2):
        put(store, topic, 1, at=at)
    moment = to_datetime(START + 1).isoformat(timespec="milliseconds")
    bounds = {"topic": topic, "from": moment, "to": to_datetime(START + 2).isoformat(timespec="milliseconds")}
    (row,) = (await client.get("/api/v1/dead-letters", params=bounds)).json()["rows"]
    assert row["received_at"] == moment.replace("+00:00", "Z")


async def test_a_page_of_large_values_leaves_out_those_beyond_its_bound(
    store: Store, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_PAGE_BYTES", 3_000)
    topic = unique("t") + ".orders"
    put(store, topic, 5, b"\xff" * 1_000)
    rows = (await client.get("/api/v1/dead-letters", params={"topic": topic})).json()["rows"]
    assert [row["value"] is None for row in rows] == [False, False, False, True, True]
    assert [row["value_bytes"] for row in rows] == [1_000] * 5
    one = (await client.get(f"/api/v1/dead-letters/{topic}/3/0")).json()
    assert base64.b64decode(one["value"]) == b"\xff" * 1_000
    assert one["earlier"] == []


async def test_a_letter_of_an_earlier_life_of_its_topic_is_told(store: Store, client: httpx.AsyncClient) -> None:
    topic = unique("t") + ".orders"
    put(store, topic, 1, b"old")
    put(store, topic, 1, b"new", at=START + 5)
    one = (await client.get(f"/api/v1/dead-letters/{topic}/3/0")).json()
    assert base64.b64decode(one["value"]) == b"new"
    assert one["earlier"] == [to_datetime(START).isoformat(timespec="seconds").replace("+00:00", "Z")]


async def test_a_table_from_before_the_redrives_tells_the_length_of_its_values(
    store: Store, client: httpx.AsyncClient
) -> None:
    topic = unique("t") + ".orders"
    for offset, value in enumerate((b"", b"1", b"12", b"123", b"1234")):
        row = {
            "arrived_at": pa.array([START], pa.timestamp("ms", tz="UTC")),
            "topic": [topic],
            "kafka_partition": pa.array([0], pa.uint16()),
            "kafka_offset": pa.array([offset], pa.uint64()),
            "reason": ["invalid_json"],
            "detail": [""],
            "value": [base64.b64encode(value).decode()],
        }
        store.insert("dead_letters", pa.table(row))
    rows = (await client.get("/api/v1/dead-letters", params={"topic": topic})).json()["rows"]
    assert [row["value_bytes"] for row in rows] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("reason=bad", "reason"),
        ("redriven=maybe", "redriven"),
        ("limit=0", "limit"),
        ("from=yesterday", "from"),
        ("to=9999-01-01T00:00:00Z", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("after=x", "after"),
        ("tpic=x", "tpic"),
    ],
)
async def test_what_is_misspelt_is_refused_by_name(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/v1/dead-letters?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "letters"),
        ({"letters": ["x"]}, "letter"),
        ({"letters": ["a/0/1"], "all": True}, "letters"),
        ({"letters": ["a/0/1", "a/0/2"], "set": {"currency": '"CNY"'}}, "set"),
        ({"letters": ["a/0/1"], "value": "?"}, "value"),
        ({"all": True, "limit": 1_000_000}, "limit"),
        ({"all": True, "reason": "bad"}, "reason"),
        ({"everything": True}, "everything"),
    ],
)
async def test_a_redrive_that_is_not_understood_is_refused_by_field(
    client: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    answer = await client.post("/api/v1/dead-letters/redrive", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_what_is_not_there_or_not_configured_is_told(store: Store, client: httpx.AsyncClient) -> None:
    topic = unique("t") + ".orders"
    assert (await client.get(f"/api/v1/dead-letters/{topic}/0/0")).status_code == 404
    assert (await client.get(f"/api/v1/dead-letters/{topic}/0/first")).status_code == 422
    put(store, topic, 1)
    answer = await client.post("/api/v1/dead-letters/redrive", json={"letters": [f"{topic}/3/0"]})
    assert answer.status_code == 501
    assert "WARROOM_KAFKA_BOOTSTRAP_SERVERS" in answer.json()["detail"]
    dry = await client.post("/api/v1/dead-letters/redrive", json={"letters": [f"{topic}/3/0"], "dry_run": True})
    (letter,) = dry.json()["letters"]
    assert letter["outcome"] == "cannot be sent"
