"""A webhook receiver on a real port, which can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[int], int | float]
"""Of the number of the request, from 1: a status to answer, or as a float the seconds to say nothing."""


class Receiver:
    """`bodies` holds what was answered with a 2xx, in order, and `arrived` the same with the moment, in seconds since
    the epoch; `requests` counts everything."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[dict[str, Any]] = []
        self.arrived: list[tuple[float, dict[str, Any]]] = []
        self.requests = 0
        self.behaviour: Behaviour = lambda _: 200

    @property
    def news(self) -> list[tuple[str, str]]:
        """Rule and status of each notice."""
        return [(body["alerts"][0]["labels"]["alertname"], body["status"]) for body in self.bodies]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.requests += 1
            answer = receiver.behaviour(receiver.requests)
            if isinstance(answer, float):
                time.sleep(answer)
                self.close_connection = True
                return
            if 200 <= answer < 300:
                receiver.bodies.append(body)
                receiver.arrived.append((time.time(), body))
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
