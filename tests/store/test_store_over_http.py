"""What goes wrong between Warroom and a ClickHouse server: told as what it is, asked once, nothing taken for done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from services.common.errors import StoreError, StoreRejected, StoreUnavailable
from services.common.store import Store, http_pool
from services.common.store.clickhouse import open_store
from tests.support.broker import free_port
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint
from tests.support.store import fresh_campaign

EVERYTHING = "."
PATIENCE_SECONDS = 2.0


@pytest.fixture
def failing(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint, healed at the end."""
    yield endpoint
    endpoint.heal()


@pytest.fixture
def store(endpoint: Endpoint) -> Iterator[Store]:
    store = endpoint.store(timeout_seconds=PATIENCE_SECONDS)
    yield store
    store.close()


@pytest.fixture
def table(http_store: Store) -> Iterator[str]:
    """A table that remembers its tokens."""
    name = fresh_campaign("faults").replace("-", "_")
    http_store.command(
        f"CREATE TABLE {name} (number UInt64) ENGINE = MergeTree ORDER BY number "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    yield name
    http_store.command(f"DROP TABLE {name}")


def numbers(count: int = 1_000) -> pa.Table:
    return pa.table({"number": pa.array(range(count), pa.uint64())})


def count(store: Store, table: str) -> int:
    return int(store.query(f"SELECT count() AS n FROM {table}")[0]["n"])


FAULTS: list[tuple[dict[str, Any], type[StoreError], bool]] = [
    # What is told to the endpoint, what the caller is told, whether the rows are in all the same.
    ({"kind": "status", "status": 500}, StoreUnavailable, False),
    ({"kind": "status", "status": 502}, StoreUnavailable, False),
    ({"kind": "status", "status": 503}, StoreUnavailable, False),
    ({"kind": "status", "status": 429}, StoreUnavailable, False),
    ({"kind": "status", "status": 413}, StoreRejected, False),
    ({"kind": "error", "code": 241}, StoreUnavailable, False),  # memory limit exceeded
    ({"kind": "error", "code": 252}, StoreUnavailable, False),  # too many parts
    ({"kind": "error", "code": 516}, StoreUnavailable, False),  # password changed: somebody may repair that
    ({"kind": "error", "code": 60}, StoreRejected, False),  # no such table
    ({"kind": "late_error", "code": 241}, StoreUnavailable, True),
    ({"kind": "late_error", "code": 60}, StoreRejected, True),
    ({"kind": "answer_lost"}, StoreUnavailable, True),
    ({"kind": "cut_before"}, StoreUnavailable, False),
    ({"kind": "cut_request"}, StoreUnavailable, False),
    ({"kind": "cut_answer"}, StoreUnavailable, True),
    ({"kind": "stall", "seconds": 30}, StoreUnavailable, True),
]


@pytest.mark.parametrize(("fault", "error", "arrives"), FAULTS, ids=str)
def test_an_insert_that_fails_is_asked_once_and_its_repetition_counts_once(
    failing: Endpoint, store: Store, table: str, fault: dict[str, Any], error: type[StoreError], arrives: bool
) -> None:
    """The driver repeats some requests by itself, and takes any 500 of a proxy for a final no."""
    before = failing.state()["faults"].get(fault["kind"], 0)
    failing.fail(on="INSERT", **fault)
    with pytest.raises(error):
        store.insert(table, numbers(), token="t")
    assert failing.state()["faults"][fault["kind"]] == before + 1
    failing.heal()
    if not arrives:
        assert count(store, table) == 0
    # Whoever was stalled goes on now, perhaps at the same time.
    store.insert(table, numbers(), token="t")
    assert count(store, table) == 1_000


@pytest.mark.parametrize(("fault", "error", "_"), FAULTS, ids=str)
@pytest.mark.parametrize("ask", ["query", "query_arrow"])
def test_a_query_that_fails_says_so_and_returns_no_part_of_its_rows(
    failing: Endpoint, store: Store, ask: str, fault: dict[str, Any], error: type[StoreError], _: bool
) -> None:
    sql = "SELECT number, toString(number) AS text FROM numbers(20000)"
    getattr(store, ask)("SELECT 1")
    before = failing.state()["faults"].get(fault["kind"], 0)
    failing.fail(on=EVERYTHING, **fault)
    with pytest.raises(error):
        getattr(store, ask)(sql)
    assert failing.state()["faults"][fault["kind"]] == before + 1
    failing.heal()
    assert len(getattr(store, ask)(sql)) == 20_000


def test_a_large_block_may_take_longer_to_send_than_a_connection_to_make(
    failing: Endpoint, http_store: Store, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 bounds the sending of a body by the time for connecting: on a slow line a block never got through."""
    monkeypatch.setattr(http_pool, "_LONGEST_CONNECT_SECONDS", 0.2)
    store = failing.store()
    # Incompressible, and more than the sockets' buffers hold.
    rows = pa.table({"number": np.random.default_rng(1).integers(0, 2**63, 2_000_000, dtype=np.uint64)})
    for number in range(2):  # on a new connection, and on one that is used again
        failing.fail("slow_request", on="INSERT", times=1, seconds=0.8)
        store.insert(table, rows, token=f"t{number}")
    assert count(store, table) == 4_000_000
    store.close()


def test_a_store_may_be_opened_before_its_server_is_there_and_outlives_it(tmp_path: Path) -> None:
    """A client that is asked for at start, or that keeps dead connections, would need a restart by hand."""
    port = free_port()
    store = open_store(f"http://127.0.0.1:{port}", timeout_seconds=5)
    with pytest.raises(StoreUnavailable):
        store.query("SELECT 1 AS n")
    with running_endpoint(tmp_path) as endpoint:
        store = endpoint.store()
        store.command("CREATE TABLE t (number UInt64) ENGINE = MergeTree ORDER BY number")
        store.insert("t", numbers())
        endpoint.kill()
        with pytest.raises(StoreUnavailable):
            store.query("SELECT 1 AS n")
        endpoint.start()
        assert count(store, "t") == 1_000
        endpoint.refuse()
        with pytest.raises(StoreUnavailable):
            store.insert("t", numbers())
        endpoint.heal()
        assert count(store, "t") == 1_000
        store.close()


def test_an_idle_connection_that_the_server_has_closed_fails_nobody(endpoint: Endpoint, table: str) -> None:
    """Servers and proxies close what is idle: the next call of a quiet night must not fail, nor need a repetition."""
    store = endpoint.store()
    assert count(store, table) == 0
    endpoint.refuse()
    endpoint.heal()
    store.insert(table, numbers())
    assert count(store, table) == 1_000
    store.close()


def test_a_wrong_password_is_told(endpoint: Endpoint) -> None:
    store = open_store(f"http://warroom:guess@127.0.0.1:{endpoint.port}/default", timeout_seconds=5)
    with pytest.raises(StoreUnavailable, match="Authentication failed"):
        store.query("SELECT 1")


def test_what_an_insert_depends_on_is_sent_with_it(endpoint: Endpoint, http_store: Store, table: str) -> None:
    """A server's own defaults may be others: rows that are not yet readable, or tokens that stop at the table."""
    http_store.insert(table, numbers(), token="a token")
    sent = endpoint.state()["recent"][-1]
    assert table in sent["sql"]
    assert (
        sent["settings"].items()
        >= {
            "async_insert": "0",
            "insert_deduplicate": "1",
            "deduplicate_blocks_in_dependent_materialized_views": "1",
            "insert_deduplication_token": "a token",
            "max_execution_time": "30.0",
        }.items()
    )
    # Compressed: a thousand numbers of eight bytes and what Arrow needs around them.
    assert sent["bytes"] < 8_000


@contextmanager
def _somebody_else(body: bytes) -> Iterator[int]:
    class Portal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize("body", [b"", b"<html>please log in</html>"])
def test_a_200_by_somebody_else_is_no_success(endpoint: Endpoint, body: bytes) -> None:
    """A proxy or a login page that answers in place of ClickHouse would swallow rows as if they were written."""
    store = endpoint.store()
    store.query("SELECT 1")
    with _somebody_else(body) as port:
        other = open_store(f"http://127.0.0.1:{port}", timeout_seconds=5)
        with pytest.raises(StoreUnavailable, match="other than ClickHouse"):
            other.query("SELECT 1")
        with pytest.raises(StoreUnavailable, match="other than ClickHouse"):
            other.insert("t", numbers(), token="t")
    store.close()
