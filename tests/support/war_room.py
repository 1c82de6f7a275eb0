"""The product as its user runs it: the real `warroom standalone` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.support.broker import free_port

READY_SECONDS = 120.0
STOP_SECONDS = 15.0
"""What the contract allows between SIGTERM and the end."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Returns when the condition holds. Raises `AssertionError`, which names `what`, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} took more than {seconds:g} s"
        time.sleep(0.05)


class WarRoom:
    """A standalone, or a demo by `command`, on free ports.

    Its directory may be handed to a second one to see how that is refused.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        http_port: int | None = None,
        kafka_port: int | None = None,
        env: Mapping[str, str] | None = None,
        command: str = "standalone",
    ) -> None:
        self._command = command
        self.data_dir = data_dir
        self.http_port = http_port or free_port()
        self.kafka_port = kafka_port or free_port()
        self._env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data_dir.parent / f"{data_dir.name}.log"

    @property
    def url(self) -> str:
        """Base of every HTTP path."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap servers."""
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def pid(self) -> int:
        """The process id of the running standalone."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Starts the process and returns at once."""
        assert self._process is None, "it runs already"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
        command = [
            str(Path(sys.executable).with_name("warroom")), self._command, "--data-dir", str(self.data_dir),
            "--http-port", str(self.http_port), "--kafka-port", str(self.kafka_port),
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**clean, **self._env}
            )

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Returns when `/readyz` answers 200. Raises `AssertionError` with the log when it does not in time."""
        try:
            wait_until(lambda: self.ready() or self._ended(), seconds, "becoming ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None
        assert not self._ended(), f"it ended before it was ready\n{self.log()}"

    def ready(self) -> bool:
        """Whether `/readyz` answers 200 now."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def start(self) -> None:
        """Starts it and returns when it is ready."""
        self.launch()
        self.wait_ready()

    def catches_sigterm(self) -> bool:
        """Whether it has taken over SIGTERM: until then a signal ends any Python process at once."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1], 16)
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    def terminate(self) -> None:
        """Sends SIGTERM and returns at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit status. Raises `AssertionError` with the log when it does not end in time."""
        assert self._process is not None
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {seconds:g} s\n{self.log()}") from None
        self._process = None
        return status

    def stop(self) -> None:
        """Stops it as the contract says, and checks just that: in time, status 0, no child left."""
        assert self._process is not None
        family = [*psutil.Process(self.pid).children(recursive=True), *self.brokers()]
        self.terminate()
        status = self.wait()
        assert status == 0, f"status {status}\n{self.log()}"
        left = [process for process in family if _lives(process)]
        assert not left, f"left behind: {left}"

    def kill(self) -> None:
        """kill -9 of all but the broker."""
        assert self._process is not None
        brokers = {process.pid for process in self.brokers()}
        for child in psutil.Process(self.pid).children(recursive=True):
            if child.pid not in brokers:
                child.kill()
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def restart(self) -> None:
        """Stops it in order and starts it again on the same ports."""
        self.stop()
        self.start()

    def brokers(self) -> list[psutil.Process]:
        """The broker processes that run on its directory."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if str(self.data_dir.resolve() / "broker") in line and _lives(process):
                found.append(process)
        return found

    def log(self) -> str:
        """Everything that it wrote to standard output and error."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def close(self) -> None:
        """Ends whatever is left of it, by force."""
        if self._process is not None:
            self.kill()
        for process in self.brokers():
            process.kill()

    def _ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None


@contextmanager
def war_room_in(
    data_dir: Path,
    *,
    kafka_port: int | None = None,
    env: Mapping[str, str] | None = None,
    command: str = "standalone",
) -> Iterator[WarRoom]:
    """A war room that is not started yet and that leaves nothing behind."""
    room = WarRoom(data_dir, kafka_port=kafka_port, env=env, command=command)
    try:
        yield room
    finally:
        room.close()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
