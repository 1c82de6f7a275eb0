"""The embedded broker: `noida-db` speaking Kafka, as a process that outlives a crash of ours."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from services.common.errors import BrokerError, ConfigurationError
from services.standalone.processes import Process, identify, running

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""Kafka without authentication is for this machine only."""

_START_SECONDS = 120.0
"""It reads its whole snapshot before it listens: about 5 s a million records."""
_PORT_SECONDS = 3.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class EmbeddedBroker:
    """One `noida-db` for one data directory, started as a session of its own or adopted when it still runs.

    It keeps all records in memory and saves them every few seconds and at an orderly stop; killing it loses what it
    acknowledged since. Whoever starts it must await `stop`, also when starting fails half way.
    """

    def __init__(self, data_dir: Path, port: int) -> None:
        self._directory = data_dir.resolve() / "broker"
        self.log = data_dir.resolve() / "broker.log"
        """What it writes to its standard output and error."""
        self._port = port
        self._process: Process | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where Kafka clients find it."""
        return f"{HOST}:{self._port}"

    @property
    def process(self) -> Process | None:
        """The broker's process once it was started or adopted, whether or not it still runs."""
        return self._process

    async def start(self) -> None:
        """Adopts the broker of this directory or starts it, and returns once it answers as Kafka.

        Raises `ConfigurationError` when it is not installed or when another program has the port, `BrokerError` when
        it ends or does not answer in time.
        """
        for process, port in _brokers_of(self._directory):
            self._process = process
            if port == self._port and await self._answers_within(_START_SECONDS):
                logger.info("broker adopted", extra={"pid": process.pid, "port": port})
                return
            logger.info("broker of an earlier run is stopped", extra={"pid": process.pid, "port": port})
            await self.stop(_STOP_SECONDS)
        await _port_free(self._port)
        self._launch()
        started = time.monotonic()
        if not await self._answers_within(_START_SECONDS):
            raise BrokerError(
                f"the embedded broker {'did not answer' if self.alive() else 'ended while it started'}; "
                f"{self.log} says why: {self._last_words()}"
            )
        logger.info(
            "broker started",
            extra={"port": self._port, "seconds": round(time.monotonic() - started, 2)},
        )

    def alive(self) -> bool:
        """Whether the broker's process runs."""
        if self._child is not None:
            return self._child.poll() is None
        return self._process is not None and self._process.alive()

    async def stop(self, seconds: float) -> None:
        """Stops it in order, which saves its records; kills it when that takes longer than `seconds`."""
        if self.alive():
            self._signal(signal.SIGTERM)
        if not await holds_within(seconds, lambda: not self.alive()):
            logger.error(
                "broker killed: it was still saving; records of its last seconds may be lost",
                extra={"seconds": seconds},
            )
            self.kill()
        if self._child is not None:
            # Reaps it; after SIGKILL the kernel needs a moment to take a large memory apart.
            await asyncio.to_thread(self._child.wait, 5)

    def kill(self) -> None:
        """The last resort: ends it at once, at the price of what it has not saved."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(number)
        elif self._process is not None:
            self._process.signal(number)

    def _launch(self) -> None:
        binary = _binary()
        self._directory.mkdir(parents=True, exist_ok=True)
        command = [
            str(binary), "start", "--only", "kafka", "--host", HOST,
            "--kafka-port", str(self._port), "--data-dir", str(self._directory),
        ]  # fmt: skip
        with self.log.open("ab") as log:
            # A session of its own: neither Ctrl-C in a terminal nor a kill of our group may reach it.
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._process = identify(self._child.pid)

    async def _answers_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive() and time.monotonic() < deadline:
            if await speaks_kafka(HOST, self._port):
                return self.alive()
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line for line in reversed(lines) if line.startswith("error")), "no error was written")


def _brokers_of(directory: Path) -> list[tuple[Process, int]]:
    """The brokers that run on a directory (one, or none), each with its port.

    Found by their command line and not by a file of ours: a crash can come between starting a process and writing
    its number down.
    """
    found = []
    for process, arguments in running():
        options = dict(itertools.pairwise(arguments))
        if (
            arguments
            and Path(arguments[0]).name == "noida-db"
            and options.get("--data-dir") == str(directory)
            and options.get("--kafka-port", "").isdigit()
        ):
            found.append((process, int(options["--kafka-port"])))
    return found


def _binary() -> Path:
    # The package's command is a Python wrapper that leaves its server behind when it is killed: run the server itself.
    spec = find_spec("noida_db")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the embedded broker is not installed; install Warroom's `embedded` extra, "
            "or set WARROOM_KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs"
        )
    binary = Path(spec.origin).parent / "noida-db"
    if not os.access(binary, os.X_OK):
        # Wheels do not keep the permission; the package's wrapper does the same.
        try:
            binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError as error:
            raise ConfigurationError(
                f"{binary} is not executable ({error.strerror}); make it so, or reinstall the `embedded` extra"
            ) from error
    return binary


async def _port_free(port: int) -> None:
    """Waits a little for the port of a predecessor, then raises `ConfigurationError` when it is still taken."""
    if not await holds_within(_PORT_SECONDS, lambda: can_listen(HOST, port)):
        raise ConfigurationError(
            f"the Kafka port {port} is taken by another program; choose another --kafka-port or stop that program"
        )


async def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time; looks every 50 ms."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


def can_listen(host: str, port: int) -> bool:
    """Whether a server could listen there now. Raises `ConfigurationError` when the host is no address of ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigurationError(f"{host} is no address to listen on: {error.strerror}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError:
            return False
    return True


async def speaks_kafka(host: str, port: int, timeout_seconds: float = 2.0) -> bool:
    """Whether who listens there answers Kafka's ApiVersions request."""
    correlation = 0x57415252
    request = struct.pack(">hhih", 18, 0, correlation, -1)
    try:
        async with asyncio.timeout(timeout_seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(struct.pack(">i", len(request)) + request)
                size, answered = struct.unpack(">ii", await reader.readexactly(8))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return bool(answered == correlation and 4 <= size < 1 << 20)
