"""Real `warroom ingest` processes in one consumer group, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.common.settings import Settings
from tests.support.broker import free_port

WARROOM = str(Path(sys.executable).with_name("warroom"))
STOP_SECONDS = 15.0
"""What the contract allows between SIGTERM and the end."""
AUDIT_SECONDS = 120.0


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a `warroom` command with these settings and nobody else's."""
    assert settings.kafka_bootstrap_servers is not None
    assert settings.clickhouse_url is not None
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")},
        "WARROOM_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "WARROOM_CLICKHOUSE_URL": settings.clickhouse_url.get_secret_value(),
        "WARROOM_TOPIC_PREFIX": settings.topic_prefix,
        "WARROOM_TOPIC_PARTITIONS": str(settings.topic_partitions),
        "WARROOM_CONSUMER_GROUP": settings.consumer_group,
    }


class Member:
    """One process."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.port = free_port()
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [WARROOM, "ingest", "--http-port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(settings),
            )

    def ready(self) -> bool:
        """Whether `/readyz` answers 200 now. Raises `AssertionError` when the process has ended."""
        assert self.process.poll() is None, f"status {self.process.returncode}: {self.log()[-3000:]}"
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def partitions(self) -> int:
        """How many partitions it says it has, 0 while it does not answer."""
        try:
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        except httpx.TransportError:
            return 0
        return sum(line.startswith("warroom_ingest_lag_records{") for line in text.splitlines())

    def stop(self) -> None:
        """Stops it as the contract says, and checks just that: in time, with status 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not stop in {STOP_SECONDS:g} s: {self.log()[-3000:]}") from None
        assert status == 0, f"status {status}: {self.log()[-3000:]}"

    def kill(self) -> None:
        """kill -9. Harmless when it has ended."""
        self.process.kill()
        self.process.wait(10)

    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")


class Fleet:
    """Every member that was launched; whoever still runs at the end is killed."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self._directory = directory
        self._members: list[Member] = []

    def launch(self) -> Member:
        """Starts another process and returns at once."""
        member = Member(self.settings, self._directory / f"ingest-{len(self._members)}.log")
        self._members.append(member)
        return member

    def audit(self) -> None:
        """Runs `warroom audit`, Kafka's offsets included. Raises `AssertionError` with what it found."""
        done = subprocess.run(
            [WARROOM, "audit", "--kafka"],
            env=environment(self.settings),
            capture_output=True,
            text=True,
            timeout=AUDIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"status {done.returncode}: {done.stdout[-4000:]}{done.stderr[-2000:]}"

    def close(self) -> None:
        """Kills whoever runs."""
        for member in self._members:
            member.kill()


@contextmanager
def fleet_of(settings: Settings, directory: Path) -> Iterator[Fleet]:
    """A fleet without members, which leaves nothing behind."""
    fleet = Fleet(settings, directory)
    try:
        yield fleet
    finally:
        fleet.close()
