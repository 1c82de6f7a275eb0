"""Apache Kafka for tests: one node, as `deploy/kafka` pins it, on free ports, in a directory of its own."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.broker import free_port

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "kafka.sh"
READY = b"Kafka Server started"
START_SECONDS = 120.0
"""The first start on a machine fetches the broker."""
STOP_SECONDS = 20.0


class KafkaServer(Protocol):
    """What tests ask of a broker, be it the embedded one or Apache Kafka."""

    port: int

    @property
    def bootstrap_servers(self) -> str:
        """Where clients find it."""

    def start(self) -> None:
        """Returns when clients may connect; after a stop or a kill on the same port with the same data."""

    def stop(self) -> None:
        """Stops in order. Harmless when it is not running."""

    def kill(self) -> None:
        """kill -9."""


class ApacheKafka:
    """A broker process; see `KafkaServer`. A kill loses nothing that was acknowledged: the page cache survives it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._controller_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the Java process, which must be running."""
        assert self._process is not None
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """What the broker and its start said."""
        return self.directory / "broker.log"

    def start(self) -> None:
        """Returns when clients may connect. Raises `RuntimeError`, with the reason, when that does not come."""
        assert self._process is None
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            said = log.tell()
            # The script becomes the broker: its process id is the one to kill.
            self._process = subprocess.Popen(
                [str(SCRIPT), "run", str(self.directory), str(self.port), str(self._controller_port)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if READY in self.log_file.read_bytes()[said:]:
                return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"Apache Kafka did not start: {self.log_file.read_text(errors='replace')[said:][-2000:]}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(STOP_SECONDS)


@contextmanager
def running_kafka(directory: Path) -> Iterator[ApacheKafka]:
    """Apache Kafka for the length of a `with` block."""
    kafka = ApacheKafka(directory)
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()
