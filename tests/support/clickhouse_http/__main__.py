"""The endpoint as a process: one port that speaks ClickHouse's HTTP, one that tells it what to do wrong.

It prints `ready` on standard output when both ports listen, and stops on SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.clickhouse_http.cluster import OneProcess, configuration
from tests.support.clickhouse_http.engine import Engine
from tests.support.clickhouse_http.faults import Fault
from tests.support.clickhouse_http.server import Gate


class _Control(BaseHTTPRequestHandler):
    """`POST /faults` adds one, `/clear` ends them all, `/refuse` and `/accept` close and open the port, `/fill` and
    `/free` take and give back the room on the file system of the data; `GET /state` tells what has happened."""

    gate: Gate
    ballast: Path

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._answer(self.gate.state())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        match self.path:
            case "/faults":
                self.gate.faults.add(Fault(**body))
            case "/clear":
                self.gate.faults.clear()
            case "/refuse":
                self.gate.shut()
            case "/accept":
                self.gate.open()
            case "/fill":
                _fill(self.ballast)
            case "/free":
                self.ballast.unlink(missing_ok=True)
        self._answer({})

    def _answer(self, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _fill(ballast: Path) -> None:
    """Writes until the file system says that it is full (ENOSPC)."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _tls(identity: str | None, client_ca: str | None) -> ssl.SSLContext | None:
    if identity is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(identity)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _stop_with_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", required=True, help="chDB's directory")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, help="default: the port after --port")
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--shards", type=int, default=0, help="a cluster of so many; see cluster.py")
    parser.add_argument("--identity", help="a certificate with its key: speaks HTTPS")
    parser.add_argument("--client-ca", help="clients must show a certificate of this authority")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    options = parser.parse_args()

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    path = Path(options.path)
    path.mkdir(parents=True, exist_ok=True)
    if options.shards:
        file = configuration(path.parent, options.shards)
        engine = Engine(f"{path}?config-file={file}", OneProcess(options.shards))
    else:
        engine = Engine(str(path))
    gate = Gate(engine, options.port, options.user, options.password, _tls(options.identity, options.client_ca))
    gate.open()
    handler = type("Control", (_Control,), {"gate": gate, "ballast": path / "ballast"})
    control = ThreadingHTTPServer(("127.0.0.1", options.control_port or options.port + 1), handler)
    control.daemon_threads = True
    threading.Thread(target=control.serve_forever, args=(0.05,), daemon=True).start()
    if options.with_parent:
        threading.Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    print("ready", flush=True)
    stop.wait()
    gate.faults.clear()
    gate.shut()
    # A statement may still be running in a thread; chDB is as safe from this as from kill -9.
    os._exit(0)


if __name__ == "__main__":
    main()
