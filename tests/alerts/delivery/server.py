"""A real HTTP server on a free port that answers as a test tells it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Received:
    """One POST as it arrived; `query` as a server decodes it."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which must be strict JSON in UTF-8."""

        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is no JSON")

        return json.loads(self.body.decode("utf-8"), parse_constant=refuse)


@dataclass(frozen=True)
class Reply:
    """What to answer. `hang_up` says nothing and closes; `delay` waits first; `endless` never ends the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False
    endless: bool = False


def reply(status: int, content: object, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(content, ensure_ascii=False).encode(), headers)


class Server:
    """`received` holds every request in order, `replies` what was answered to each."""

    def __init__(self, url: str, answer: Callable[[Received], Reply]) -> None:
        self.url = url
        self.answer = answer
        self.received: list[Received] = []
        self.replies: list[Reply] = []


@contextmanager
def serving(answer: Callable[[Received], Reply]) -> Iterator[Server]:
    """A server that runs in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(parts.path, query, dict(self.headers.items()), body)
            server.received.append(received)
            found = server.answer(received)
            server.replies.append(found)
            time.sleep(found.delay)
            if found.hang_up:
                self.close_connection = True
                return
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name.replace("_", "-"), value)
            if not found.endless:
                self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            try:
                self.wfile.write(found.body)
                while found.endless:
                    self.wfile.write(b"x" * 65_536)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}", answer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(timeout=5)
