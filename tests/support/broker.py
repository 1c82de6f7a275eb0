"""The embedded Kafka broker for tests: the real server of `noida-db`, on a free port, in a directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

START_SECONDS = 90.0


def free_port() -> int:
    """A TCP port on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unique(prefix: str) -> str:
    """A name (of a topic prefix, a consumer group) that no other test uses."""
    return f"{prefix}{uuid.uuid4().hex[:12]}"


class Broker:
    """A broker process. The binary is started itself: the console script is a wrapper that would orphan it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the server, which must be running."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when the port accepts connections. Raises `RuntimeError` when it does not within 20 s."""
        binary = Path(str(files("noida_db") / "noida-db"))
        if not os.access(binary, os.X_OK):
            binary.chmod(0o755)
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(binary),
                    "start",
                    "--only",
                    "kafka",
                    "--kafka-port",
                    str(self.port),
                    "--data-dir",
                    str(self._directory / "data"),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        log_text = (self._directory / "broker.log").read_text(errors="replace")
        raise RuntimeError(f"the embedded broker did not start: {log_text[-2000:]}")

    def stop(self) -> None:
        """Stops in order, and by force after 10 s. Harmless when it is not running."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def kill(self) -> None:
        """kill -9: what the broker had not yet saved is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def running_broker(directory: Path) -> Iterator[Broker]:
    """A broker for the length of a `with` block."""
    broker = Broker(directory)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
