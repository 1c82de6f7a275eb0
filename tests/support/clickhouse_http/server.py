"""The HTTP of the endpoint: a thread a connection, so that it can be stalled and cut at will."""

from __future__ import annotations

import base64
import hmac
import json
import re
import socket
import ssl
import struct
import threading
import uuid
from collections import deque
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa

from tests.support.clickhouse_http.engine import Answer, Engine, EngineError, Statement
from tests.support.clickhouse_http.faults import Fault, Faults

IDLE_SECONDS = 10
"""After this long without a request a connection is closed, as `keep_alive_timeout` of ClickHouse does."""
MOST_FIELD_BYTES = 128 << 10
"""`http_max_field_value_size` of ClickHouse: a parameter may not be longer."""
MOST_URI_BYTES = 1 << 20
"""`http_max_uri_size` of ClickHouse."""

_INSERT = re.compile(rb"\s*INSERT\s+INTO\s.*?\bFORMAT\s+\w+[ \t]*\r?(?:\n|$)", re.IGNORECASE | re.DOTALL)
_READS = re.compile(r"\s*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN)\b", re.IGNORECASE)
_PARAMETER = "param_"
# What ClickHouse's HTTP handler consumes itself; everything else in the URL is a setting.
_OF_HTTP = {
    "query", "database", "user", "password", "default_format", "query_id", "quota_key", "role", "stacktrace",
    "compress", "decompress", "buffer_size", "wait_end_of_query", "client_protocol_version",
    "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
}  # fmt: skip

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
_STATUS = {
    **dict.fromkeys((516, 192, 193, 497), 403),
    **dict.fromkeys((6, 26, 27, 36, 38, 41, 43, 44, 53, 62, 69, 72, 117, 306), 400),
    **dict.fromkeys((46, 47, 50, 60, 63, 73, 81, 115), 404),
    48: 501,
    159: 408,
    209: 503,
    439: 503,
}


class Refused(Exception):
    """A request that is answered with an exception of ClickHouse before it runs."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message}")
        self.code = code


class Gate:
    """The listening port, which can be closed (connections are then refused) and opened again."""

    def __init__(self, engine: Engine, port: int, user: str, password: str, tls: ssl.SSLContext | None = None) -> None:
        self.engine = engine
        self.faults = Faults()
        self.user, self.password = user, password
        self.lock = threading.Lock()
        self.requests = 0
        self.recent: deque[dict[str, Any]] = deque(maxlen=200)
        self.connections: set[socket.socket] = set()
        self._port = port
        self._tls = tls
        self._server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        """Listens. Harmless when it does already."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), _bound_to(self))
            if self._tls is not None:
                # The handshake is left to the connection's own thread: a client that is slow with it holds up nobody.
                self._server.socket = self._tls.wrap_socket(
                    self._server.socket, server_side=True, do_handshake_on_connect=False
                )
            threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http", daemon=True).start()

    def shut(self) -> None:
        """Refuses connections from now on and cuts those that there are."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self.lock:
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def state(self) -> dict[str, Any]:
        """What has been asked and what was done wrong, for tests to wait for."""
        with self.lock:
            return {
                "requests": self.requests,
                "faults": dict(self.faults.counts),
                "failed": sum(self.faults.counts.values()),
                "recent": list(self.recent),
            }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _bound_to(gate: Gate) -> type[_Handler]:
    return type("Handler", (_Handler,), {"gate": gate})


class _Handler(BaseHTTPRequestHandler):
    gate: Gate
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.gate.lock:
            self.gate.connections.add(self.connection)

    def finish(self) -> None:
        with self.gate.lock:
            self.gate.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def handle_one_request(self) -> None:
        """As the base class does, with ClickHouse's limit of the URL in place of 64 KiB."""
        try:
            self.raw_requestline = self.rfile.readline(MOST_URI_BYTES + 100)
        except TimeoutError:
            self.raw_requestline = b""
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self.do_GET() if self.command == "GET" else self._serve(None)
            if not self.wfile.closed:
                self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test reads `Gate.state`."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/ping" or (url.path == "/" and not url.query):
            self._send(200, {}, b"Ok.\n")
        else:
            self._serve(b"")

    def _serve(self, body: bytes | None) -> None:
        query_id = ""
        try:
            arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            query_id = arguments.get("query_id") or str(uuid.uuid4())
            self._identify(arguments)
            sql = arguments.get("query", "")
            # A fault that cuts the request has to be known before the body is read.
            fault = self.gate.faults.take(sql) if sql else None
            if fault is not None and fault.kind == "cut_request":
                self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
                return self._cut()
            if fault is not None and fault.kind == "slow_request":
                self.gate.faults.stall(fault.seconds)
            body = self._body() if body is None else body
            if self.headers.get_content_type() == "multipart/form-data":
                arguments |= _form(body, self.headers.get_param("boundary"))
                body = b""
            if any(len(value.encode()) > MOST_FIELD_BYTES for name, value in arguments.items() if name != "query"):
                raise Refused(1000, "Poco::Exception. HTML Form Exception: Field value too long")
            statement = _statement(arguments, body)
            if not sql:
                fault = self.gate.faults.take(statement.sql)
            self._note(statement, fault)
            if self.command == "GET" and not _READS.match(statement.sql):
                raise Refused(164, "Cannot execute query in readonly mode. (READONLY)")
            self._run(statement, arguments, query_id, fault)
        except (Refused, EngineError) as error:
            self._exception(error.code, str(error), query_id)

    def _run(self, statement: Statement, arguments: dict[str, str], query_id: str, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else None
        if fault is not None:
            if kind == "stall":
                self.gate.faults.stall(fault.seconds)
            elif kind == "status":
                return self._send(fault.status, {"Content-Type": "text/html"}, b"<html>upstream failed</html>")
            elif kind == "error":
                raise Refused(fault.code, fault.message)
            elif kind in ("cut_before", "cut_request"):
                return self._cut()
        answer = self.gate.engine.run(statement)
        if kind == "answer_lost":
            return self._cut()
        headers = _headers(answer, statement, query_id)
        body = answer.body
        if fault is not None and kind == "late_error":
            tag = uuid.uuid4().hex[:16]
            headers["X-ClickHouse-Exception-Tag"] = tag
            text = f"Code: {fault.code}. DB::Exception: {fault.message}".encode()
            body = body[: len(body) // 2] + b"\r\n__exception__\r\n%b\r\n%b\r\n%d %b\r\n__exception__\r\n" % (
                tag.encode(), text, len(text), tag.encode(),
            )  # fmt: skip
        encoding = self._encoding(arguments)
        if encoding is not None and body:
            headers["Content-Encoding"] = encoding
            body = _compressed(body, encoding)
        return self._send(200, headers, body, cut=kind == "cut_answer")

    def _identify(self, arguments: dict[str, str]) -> None:
        user = self.headers.get("X-ClickHouse-User") or arguments.get("user", "default")
        password = self.headers.get("X-ClickHouse-Key") or arguments.get("password", "")
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(token).decode().partition(":")
        if user != self.gate.user or not hmac.compare_digest(password.encode(), self.gate.password.encode()):
            raise Refused(
                516, f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
            )

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            size = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(size)
            if len(body) < size:
                raise ConnectionError("the client went away")
        encoding = self.headers.get("Content-Encoding")
        if encoding and body:
            return bytes(pa.CompressedInputStream(pa.BufferReader(body), encoding).read())
        return body

    def _encoding(self, arguments: dict[str, str]) -> str | None:
        if arguments.get("enable_http_compression") != "1":
            return None
        wanted = [each.strip() for each in self.headers.get("Accept-Encoding", "").split(",")]
        return next((each for each in wanted if each in ("lz4", "zstd", "gzip")), None)

    def _note(self, statement: Statement, fault: Fault | None) -> None:
        with self.gate.lock:
            self.gate.requests += 1
            self.gate.recent.append(
                {
                    "sql": statement.sql[:200],
                    "settings": statement.settings,
                    "bytes": len(statement.data or b""),
                    "fault": fault.kind if fault is not None else None,
                }
            )

    def _exception(self, code: int, message: str, query_id: str) -> None:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Exception-Code": str(code),
        }
        self._send(_STATUS.get(code, 500), headers, f"{message} (version 26.9 (chDB))\n".encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("X-ClickHouse-Server-Display-Name", "chdb")
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if cut:
            self.wfile.write(b"%x\r\n" % max(2, len(body)) + body[: len(body) // 2])
            return self._cut()
        for start in range(0, len(body), 1 << 16):
            part = body[start : start + (1 << 16)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        return None

    def _cut(self) -> None:
        """A reset, as when a machine or a proxy dies, and no orderly end of the stream."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The files hold the socket too: without their end the reset would wait for them.
        with suppress(OSError):
            self.wfile.close()
            self.rfile.close()
        self.connection.close()


def _form(body: bytes, boundary: object) -> dict[str, str]:
    fields = {}
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        if name := re.search(rb'name="([^"]*)"', head):
            fields[name.group(1).decode()] = value.removesuffix(b"\r\n").decode()
    return fields


def _statement(arguments: dict[str, str], body: bytes) -> Statement:
    query = arguments.get("query", "").encode()
    data: bytes | None = None
    if found := _INSERT.fullmatch(query):
        data = body
    elif found := _INSERT.match(query + body):
        whole = query + body
        query, data = whole[: found.end()].rstrip(), whole[found.end() :]
    else:
        query += body
    return Statement(
        sql=query.decode(),
        data=data,
        parameters={
            name.removeprefix(_PARAMETER): value for name, value in arguments.items() if name.startswith(_PARAMETER)
        },
        settings={
            name: value for name, value in arguments.items() if name not in _OF_HTTP and not name.startswith(_PARAMETER)
        },
        database=arguments.get("database") or "default",
    )


def _headers(answer: Answer, statement: Statement, query_id: str) -> dict[str, str]:
    rows, size = ("written_rows", "written_bytes") if statement.data is not None else ("read_rows", "read_bytes")
    summary = {rows: str(answer.rows), size: str(answer.bytes), "elapsed_ns": str(int(answer.seconds * 1e9))}
    headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Summary": json.dumps(summary)}
    if answer.format is not None:
        headers["X-ClickHouse-Format"] = answer.format
    return headers


def _compressed(body: bytes, encoding: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, encoding) as stream:
        stream.write(body)
    return bytes(sink.getvalue().to_pybytes())
