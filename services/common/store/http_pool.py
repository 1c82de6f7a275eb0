"""How requests to a ClickHouse server are made: once, within a time limit, and with answers that are whole.

clickhouse-connect and urllib3 repeat some requests by themselves and take every 200 for a success. Whoever inserts has
to know that a request was made once, and that its answer is ClickHouse's.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from clickhouse_connect.driver.httputil import get_pool_manager_options
from urllib3 import PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

_CONNECTIONS = 32
"""Kept open at most; a thread uses one at a time."""
_LONGEST_CONNECT_SECONDS = 5.0
"""Less than a process may take to stop: a connection that is being made cannot be given up."""
_CODE = "X-ClickHouse-Exception-Code"
_TAG = "X-ClickHouse-Exception-Tag"
_EXCERPT = 300


class CallFailed(HTTPError):
    """A request whose outcome is unknown or that did not reach ClickHouse.

    Not one of the errors after which clickhouse-connect repeats a request by itself.
    """


class OneAttemptPool(PoolManager):
    """urllib3's pool of connections, for the HTTP client of clickhouse-connect."""

    def __init__(self, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        """`timeout_seconds` bounds how long the server may be silent; `tls` is how https is spoken, by default by the
        system's authorities."""
        super().__init__(**get_pool_manager_options(maxsize=_CONNECTIONS), ssl_context=tls)
        self._timeout = Timeout(connect=min(_LONGEST_CONNECT_SECONDS, timeout_seconds), read=timeout_seconds)
        self._open = _Connections(timeout_seconds)
        self.pool_classes_by_scheme = self._open.pool_classes()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> BaseHTTPResponse:
        """As urllib3's, without its repetitions. Raises `CallFailed`."""
        kwargs.update(retries=False, timeout=self._timeout)
        if self._open.shut:
            raise CallFailed("the store is closed")
        try:
            response = super().request(method, url, *args, **kwargs)
            trouble = _trouble(response, whole=bool(kwargs.get("preload_content", True)), url=url)
        except HTTPError as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if trouble is not None:
            response.close()
            raise CallFailed(trouble)
        return response

    def shut(self) -> None:
        """Ends every request that is under way, and takes no more. Their outcome is unknown."""
        self._open.shut_all()
        self.clear()


class _Connections:
    """The connections that are made, also while a thread uses them: a pool knows only those that are idle."""

    def __init__(self, send_seconds: float) -> None:
        self.shut = False
        self._send_seconds = send_seconds
        self._lock = threading.Lock()
        self._made: WeakSet[HTTPConnection] = WeakSet()

    def made(self, connection: HTTPConnection) -> None:
        with self._lock:
            self._made.add(connection)
        if self.shut:
            _hang_up(connection)
        elif connection.sock is not None:
            connection.sock.settimeout(self._send_seconds)

    def used(self, connection: HTTPConnection) -> None:
        """urllib3 gives the whole body the time in which a connection has to be made, too little for a large block."""
        if connection.sock is not None:
            connection.timeout = self._send_seconds

    def shut_all(self) -> None:
        self.shut = True
        with self._lock:
            made = list(self._made)
        for connection in made:
            _hang_up(connection)

    def pool_classes(self) -> dict[str, Any]:
        """urllib3's pools, whose connections are told to this object."""
        connections = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                connections.made(self)

            def request(self, *args: Any, **kwargs: Any) -> None:
                connections.used(self)
                super().request(*args, **kwargs)

        class Encrypted(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                connections.made(self)

            def request(self, *args: Any, **kwargs: Any) -> None:
                connections.used(self)
                super().request(*args, **kwargs)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        return {"http": PlainPool, "https": EncryptedPool}


def _hang_up(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _trouble(response: BaseHTTPResponse, *, whole: bool, url: str) -> str | None:
    """Why the answer is no verdict of ClickHouse, or is one that the client would not notice."""
    if _CODE in response.headers:
        return None
    status = response.status
    if status >= 500 or status in (408, 429):
        return f"HTTP status {status} by somebody other than ClickHouse: {_excerpt(response)}"
    if 200 <= status < 300:
        if not any(name.lower().startswith("x-clickhouse-") for name in response.headers):
            return f"an answer by somebody other than ClickHouse: {_excerpt(response)}"
        if whole:
            return _late_exception(response, url)
    return None


def _late_exception(response: BaseHTTPResponse, url: str) -> str | None:
    """What went wrong after the headers had been sent; the tag tells it from data."""
    tag = response.headers.get(_TAG)
    start = response.data.rfind(b"__exception__\r\n" + tag.encode()) if tag else -1
    if start >= 0:
        return response.data[start:][:2000].decode(errors="replace")
    if "query=INSERT" in url and response.data:
        return f"an INSERT was answered with: {_excerpt(response)}"
    return None


def _excerpt(response: BaseHTTPResponse) -> str:
    return response.data[:_EXCERPT].decode(errors="replace")
