"""The store through clickhouse-connect, which speaks HTTP to a server and calls chDB in the process."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from services.common import transport
from services.common.errors import ConfigurationError, StoreRejected, StoreUnavailable
from services.common.settings import Settings
from services.common.store.clustered import ClusteredStore
from services.common.store.http_pool import CallFailed, OneAttemptPool
from services.common.store.interface import Parameters, Row, Store
from services.common.store.topology import Topology

# Pinned, because a server's own defaults may differ: what was written is readable when the call returns.
_SETTINGS = {"async_insert": 0}

# A migration may rebuild a table.
_NO_LIMIT = {"max_execution_time": 0}

_INSERT_SETTINGS = {
    **_SETTINGS,
    # The token covers the rollups too.
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # One block of ours is one block of ClickHouse, so that one token names exactly one part.
    "max_insert_block_size": 2_000_000,
    "min_insert_block_size_rows": 0,
    "min_insert_block_size_bytes": 0,
    # The HTTP status is decided when the rows are in, and no sooner. With progress in the headers a server says 200
    # first and what went wrong later.
    "wait_end_of_query": 1,
    "send_progress_in_http_headers": 0,
}

CallSettings = dict[str, Any]
"""Of ClickHouse, for one call."""

_MOST_PARAMETER_BYTES = 128 << 10
"""`http_max_field_value_size`, unless a server's configuration says otherwise."""

# ClickHouse's error codes after which the same call may succeed: timeouts, load, network, memory, disk and its files,
# read-only, too many parts, Keeper, quorum, and who may ask: a changed password is put right at either end.
# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_PASSING_CODES = {
    3, 75, 76, 77, 88, 96, 159, 160, 164, 172, 173, 198, 201, 202, 203, 204, 209, 210, 225, 236, 241, 242, 243, 252,
    279, 285, 286, 289, 294, 298, 305, 319, 394, 425, 439, 473, 499, 516, 571, 574, 586, 589, 594, 656, 659, 668, 692,
    733, 999,
}  # fmt: skip


def store_of(settings: Settings, *, timeout_seconds: float | None = None) -> Store:
    """The store that the settings name, reached as they say; `timeout_seconds` instead of theirs.

    Raises `ConfigurationError` when they name none, or as `open_store`.
    """
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store")
    tls = transport.store_tls(settings)
    return open_store(
        settings.clickhouse_url.get_secret_value(),
        timeout_seconds=settings.store_timeout_seconds if timeout_seconds is None else timeout_seconds,
        tls=None if tls is None else tls.context(),
        cluster=settings.clickhouse_cluster,
    )


def open_store(
    url: str, *, timeout_seconds: float, tls: ssl.SSLContext | None = None, cluster: str | None = None
) -> Store:
    """Opens `chdb:///DIR` (created if absent) or `http(s)://user:password@host:port/database`.

    `timeout_seconds` bounds each query and insert; a statement given to `command` may take longer, as long as an HTTP
    server is not silent for so long. User and password are percent-encoded. A server is not asked anything yet.
    `cluster` is the name that servers know a cluster by; the URL is then that of any of its servers, or of a proxy.
    `tls` is how https is spoken; without it the system's authorities are believed. Certificates are always verified.
    Raises `ConfigurationError` when the URL is malformed or the embedded engine is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme == "chdb":
        if cluster is not None:
            raise ConfigurationError("WARROOM_CLICKHOUSE_CLUSTER needs servers, and WARROOM_CLICKHOUSE_URL is embedded")
        directory = Path(parts.path)
        directory.mkdir(parents=True, exist_ok=True)
        options = {"interface": "chdb", "path": str(directory)}
        return ClickHouseStore(options, timeout_seconds=timeout_seconds)
    if parts.scheme in ("http", "https") and parts.hostname:
        database = parts.path.strip("/") or "default"
        plain = _over_http(
            {
                "interface": parts.scheme,
                "host": parts.hostname,
                "port": parts.port or (8443 if parts.scheme == "https" else 8123),
                "username": unquote(parts.username or "default"),
                "password": unquote(parts.password or ""),
                "database": database,
            },
            timeout_seconds,
            tls,
        )
        return plain if cluster is None else ClusteredStore(plain, Topology(cluster, database), timeout_seconds)
    raise ConfigurationError("WARROOM_CLICKHOUSE_URL must be `chdb:///DIR` or `http(s)://user:pass@host:8123/db`")


def _over_http(options: dict[str, Any], timeout_seconds: float, tls: ssl.SSLContext | None) -> ClickHouseStore:
    pool = OneAttemptPool(timeout_seconds, tls)
    options = {**options, "pool_mgr": pool, "query_retries": 0, "autogenerate_session_id": False}
    return ClickHouseStore(options, timeout_seconds=timeout_seconds, on_close=pool.shut)


class ClickHouseStore:
    """A client a thread: clickhouse-connect's clients are not to be shared, and chDB's hold a lock."""

    def __init__(
        self, options: dict[str, Any], *, timeout_seconds: float, on_close: Callable[[], None] | None = None
    ) -> None:
        """`options` are those of `clickhouse_connect.get_client`."""
        # With the limit the engine gives up, too, and does not go on for nobody.
        self._options = {**options, "settings": {**_SETTINGS, "max_execution_time": timeout_seconds}}
        self._on_close = on_close
        self._local = threading.local()
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        self._embedded = options["interface"] == "chdb"
        if self._embedded:
            with _translated():
                self._client()

    def query(
        self, sql: str, parameters: Parameters | None = None, *, settings: CallSettings | None = None
    ) -> list[Row]:
        with self._calling() as client:
            result = client.query(sql, parameters=_bound(parameters), settings=settings, tz_mode="schema")
            return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def query_arrow(
        self, sql: str, parameters: Parameters | None = None, *, settings: CallSettings | None = None
    ) -> pa.Table:
        with self._calling(damaged=StoreUnavailable) as client:
            return client.query_arrow(sql, parameters=_bound(parameters), settings=settings, use_strings=True)

    def insert(
        self, table: str, rows: pa.Table, *, token: str | None = None, settings: CallSettings | None = None
    ) -> None:
        all_settings: dict[str, Any] = {**_INSERT_SETTINGS, **(settings or {})}
        if token is not None:
            all_settings["insert_deduplication_token"] = token
        with self._calling() as client:
            client.insert_arrow(table, rows, settings=all_settings)

    def command(self, sql: str, parameters: Parameters | None = None, *, settings: CallSettings | None = None) -> None:
        with self._calling() as client:
            client.command(sql, parameters=_bound(parameters), settings={**_NO_LIMIT, **(settings or {})})

    def slots(self) -> int:
        return 1

    def close(self) -> None:
        if self._on_close is not None:
            self._on_close()
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        self._local = threading.local()

    @contextmanager
    def _calling(self, *, damaged: type[StoreUnavailable] | type[StoreRejected] = StoreRejected) -> Iterator[Any]:
        with _translated(damaged):
            try:
                yield self._client()
            except BaseException:
                if self._embedded:
                    self._forget_client()
                raise

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            client = clickhouse_connect.get_client(**self._options)
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def _forget_client(self) -> None:
        """chDB puts what a failed query had already answered before the answer of the handle's next query."""
        client = getattr(self._local, "client", None)
        if client is not None:
            self._local.client = None
            with self._lock:
                self._clients = [each for each in self._clients if each is not client]
            client.close()


def _bound(parameters: Parameters | None) -> dict[str, Any] | None:
    for name, value in (parameters or {}).items():
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if sum(len(text.encode()) + 4 for text in texts if isinstance(text, str)) > _MOST_PARAMETER_BYTES:
            raise StoreRejected(f"the parameter {name} is longer than ClickHouse takes over HTTP; ask in portions")
    return dict(parameters) if parameters else None


@contextmanager
def _translated(damaged: type[StoreUnavailable] | type[StoreRejected] = StoreRejected) -> Iterator[None]:
    """`damaged` is raised for Arrow data that cannot be read or made: an answer cut short, or rows that do not fit."""
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"{error}; install Warroom's `embedded` extra, or set WARROOM_CLICKHOUSE_URL to a server"
        ) from error
    except (OperationalError, HTTPError, TimeoutError, ConnectionError) as error:
        # The driver's own sentence around it says nothing more.
        reason = error.__cause__ if isinstance(error.__cause__, CallFailed) else error
        raise _kind(error, StoreUnavailable)(str(reason)) from error
    except pa.ArrowException as error:
        raise damaged(str(error)) from error
    except ClickHouseError as error:
        raise _kind(error, StoreRejected)(str(error)) from error


def _kind(
    error: Exception, otherwise: type[StoreUnavailable] | type[StoreRejected]
) -> type[StoreUnavailable] | type[StoreRejected]:
    """ClickHouse's own error code decides where there is one, whatever class the driver chose for it."""
    code = getattr(error, "code", None)
    if code is None and (match := re.search(r"\bCode: (\d+)\. DB::Exception", str(error))):
        code = int(match.group(1))
    if code is None:
        return otherwise
    return StoreUnavailable if code in _PASSING_CODES else StoreRejected
