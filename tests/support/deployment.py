"""Warroom as it is deployed with servers: each service an OS process of its own, told by the environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.common.settings import Settings
from tests.support.broker import free_port
from tests.support.war_room import STOP_SECONDS, wait_until

READY_SECONDS = 120.0
_WARROOM = str(Path(sys.executable).with_name("warroom"))
SERVICES = ("ingest", "metrics", "alerts")
_PORT_OPTION = {"ingest": "--http-port", "metrics": "--port", "alerts": "--http-port"}


def environment(settings: Settings, clickhouse_url: str) -> dict[str, str]:
    """The settings that were set, as the environment variables that say the same."""
    given = {f"WARROOM_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_unset=True).items()}
    return {**given, "WARROOM_CLICKHOUSE_URL": clickhouse_url}


class Deployment:
    """Processes of `warroom ingest`, `metrics` and `alerts` that share a Kafka and a ClickHouse."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        """`directory` takes the logs; `env` is what the processes are told, WARROOM_... settings."""
        self._directory = directory
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
        self._env = {**clean, **env}
        self.ports = {service: free_port() for service in _PORT_OPTION}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, services: Sequence[str] = SERVICES) -> None:
        """Starts the services and returns when each is ready."""
        self.launch(services)
        for service in services:
            self.wait_ready(service)

    def launch(self, services: Sequence[str] = SERVICES) -> None:
        """Starts the services and returns at once."""
        for service in services:
            assert service not in self._processes, f"{service} runs already"
            port = str(self.ports[service])
            self._processes[service] = self._command([service, _PORT_OPTION[service], port], service)

    def wait_ready(self, service: str) -> None:
        """Returns when the service is ready. Raises `AssertionError` with its log when it is not in time."""
        try:
            wait_until(lambda: self.trouble(service) is None, READY_SECONDS, f"{service} becoming ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(service)}") from None

    def trouble(self, service: str) -> str | None:
        """Why `/readyz` says that the service is not ready; None when it is."""
        assert self._processes[service].poll() is None, f"{service} ended\n{self.log(service)}"
        try:
            answer = self.get(service, "/readyz")
        except httpx.TransportError as error:
            return repr(error)
        return None if answer.status_code == 200 else answer.text

    def tells_not_ready(self, service: str) -> bool:
        """`/readyz` answers, and says why not."""
        return "Not ready" in (self.trouble(service) or "")

    def pid(self, service: str) -> int:
        """The process id of a service that runs."""
        return self._processes[service].pid

    def get(self, service: str, path: str) -> httpx.Response:
        """A GET of one of the service's HTTP paths."""
        return httpx.get(f"http://127.0.0.1:{self.ports[service]}{path}", timeout=10)

    def metric(self, service: str, name: str) -> float:
        """The sum of a Prometheus metric over its labels."""
        lines = self.get(service, "/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.partition("{")[0].split()[:1] == [name])

    def stop(self, services: Sequence[str] = SERVICES) -> None:
        """SIGTERM; checks that each ends in time with status 0."""
        for service in services:
            self._processes[service].send_signal(signal.SIGTERM)
        for service in services:
            try:
                status = self._processes[service].wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{service} did not end in time\n{self.log(service)}") from None
            del self._processes[service]
            assert status == 0, f"{service} ended with status {status}\n{self.log(service)}"

    def run(self, *arguments: str) -> str:
        """Standard output of one `warroom` command, run to its end. Raises `AssertionError` unless its status is 0."""
        done = subprocess.run(
            [_WARROOM, *arguments], env=self._env, capture_output=True, text=True, timeout=READY_SECONDS, check=False
        )
        assert done.returncode == 0, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def kill(self, service: str) -> None:
        """kill -9."""
        process = self._processes.pop(service)
        process.kill()
        process.wait(10)

    def pause(self, service: str) -> None:
        """SIGSTOP: it stands still, with its connections and all that it has in mind."""
        self._processes[service].send_signal(signal.SIGSTOP)

    def resume(self, service: str) -> None:
        """SIGCONT."""
        self._processes[service].send_signal(signal.SIGCONT)

    def log(self, service: str) -> str:
        """Everything that the service wrote."""
        return (self._directory / f"{service}.log").read_text(errors="replace")

    def close(self) -> None:
        """Ends whatever is left, by force."""
        for service in list(self._processes):
            self.kill(service)

    def _command(self, arguments: Sequence[str], name: str) -> subprocess.Popen[bytes]:
        with (self._directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [_WARROOM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
            )


@contextmanager
def deployment(directory: Path, env: Mapping[str, str]) -> Iterator[Deployment]:
    """A deployment of which nothing is left at the end."""
    running = Deployment(directory, env)
    try:
        yield running
    finally:
        running.close()
