"""The store through clickhouse-connect, which speaks HTTP to a server and calls chDB in the process."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from services.common.errors import ConfigurationError, StoreRejected, StoreUnavailable
from services.common.store.interface import Parameters, Row, Store

# Pinned, because a server's own defaults may differ: an insert is done when it is readable (no async insert),
# and its token covers the rollups too.
_INSERT_SETTINGS = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # One block of ours is one block of ClickHouse, so that one token names exactly one part.
    "max_insert_block_size": 2_000_000,
    "min_insert_block_size_rows": 0,
    "min_insert_block_size_bytes": 0,
}

# ClickHouse's error codes after which the same call may succeed: timeouts, load, network, memory, disk, read-only,
# too many parts, Keeper, quorum. https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_PASSING_CODES = {
    3, 159, 160, 164, 198, 201, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285, 286, 289, 298, 305, 319,
    394, 425, 439, 473, 499, 516, 571, 574, 589, 594, 656, 659, 668, 692, 733, 999,
}  # fmt: skip


def open_store(url: str, *, timeout_seconds: float) -> Store:
    """Opens `chdb:///DIR` (created if absent) or `http(s)://user:password@host:port/database`.

    Raises `ConfigurationError` when the URL is malformed or the embedded engine is not installed, `StoreUnavailable`
    when nobody answers.
    """
    parts = urlsplit(url)
    if parts.scheme == "chdb":
        directory = Path(parts.path)
        directory.mkdir(parents=True, exist_ok=True)
        return ClickHouseStore({"interface": "chdb", "path": str(directory)})
    if parts.scheme in ("http", "https") and parts.hostname:
        return ClickHouseStore(
            {
                "interface": parts.scheme,
                "host": parts.hostname,
                "port": parts.port or (8443 if parts.scheme == "https" else 8123),
                "username": parts.username or "default",
                "password": parts.password or "",
                "database": parts.path.strip("/") or "default",
                "connect_timeout": min(10, timeout_seconds),
                "send_receive_timeout": timeout_seconds,
                "query_retries": 0,
                "autogenerate_session_id": False,
            }
        )
    raise ConfigurationError("WARROOM_CLICKHOUSE_URL must be `chdb:///DIR` or `http(s)://user:pass@host:8123/db`")


class ClickHouseStore:
    """A client a thread: clickhouse-connect's clients are not to be shared, and chDB's hold a lock."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._local = threading.local()
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        self._client()

    def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        with _translated():
            result = self._client().query(sql, parameters=_bound(parameters), tz_mode="schema")
            return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        with _translated():
            return self._client().query_arrow(sql, parameters=_bound(parameters), use_strings=True)

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        settings: dict[str, Any] = dict(_INSERT_SETTINGS)
        if token is not None:
            settings["insert_deduplication_token"] = token
        with _translated():
            self._client().insert_arrow(table, rows, settings=settings)

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        with _translated():
            self._client().command(sql, parameters=_bound(parameters))

    def close(self) -> None:
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
        self._local = threading.local()

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            with _translated():
                client = clickhouse_connect.get_client(**self._options)
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client


def _bound(parameters: Parameters | None) -> dict[str, Any] | None:
    return dict(parameters) if parameters else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"{error}; install Warroom's `embedded` extra, or set WARROOM_CLICKHOUSE_URL to a server"
        ) from error
    except (OperationalError, HTTPError, TimeoutError, ConnectionError) as error:
        raise _kind(str(error), StoreUnavailable)(str(error)) from error
    except (ClickHouseError, pa.ArrowException) as error:
        raise _kind(str(error), StoreRejected)(str(error)) from error


def _kind(
    message: str, otherwise: type[StoreUnavailable] | type[StoreRejected]
) -> type[StoreUnavailable] | type[StoreRejected]:
    """ClickHouse's own error code decides where there is one, whatever class the driver chose for it."""
    match = re.search(r"\b[Cc]ode:? (\d+)", message)
    if match is None:
        return otherwise
    return StoreUnavailable if int(match.group(1)) in _PASSING_CODES else StoreRejected
