"""The real Prometheus and Alertmanager for tests: one process each, on free ports, in a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.broker import free_port
from tests.support.debian import find_program
from tests.support.war_room import wait_until

START_SECONDS = 60.0
TEMPLATES = b"/usr/share/prometheus/alertmanager"
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def check(program: str, package: str, *arguments: str, text: str | None = None, seconds: float = START_SECONDS) -> str:
    """What a checker says of its arguments, or of the text on its input. Raises `AssertionError` unless it agrees."""
    done = subprocess.run(
        [str(find_program(program, package)), *arguments],
        input=text, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def alertmanager_in(directory: Path) -> str:
    """The program to run in a directory.

    Debian's reads its templates from the place where the package is installed, and there is no option for it. Where
    that is not, a copy of it looks in its working directory, which is what the place becomes with as many bytes.
    """
    program = find_program("prometheus-alertmanager", "prometheus-alertmanager")
    if Path(os.fsdecode(TEMPLATES), "default.tmpl").exists():
        return str(program)
    for template in program.parents[2].glob("usr/share/prometheus/alertmanager/*.tmpl"):
        shutil.copy(template, directory)
    copy = directory / program.name
    text = program.read_bytes()
    at = [m.start() for m in re.finditer(re.escape(TEMPLATES) + rb"(?!/)", text)]
    assert len(at) == 1, "not the Alertmanager that this was written for"
    copy.write_bytes(text[: at[0]] + b"./" * (len(TEMPLATES) // 2) + text[at[0] + len(TEMPLATES) :])
    copy.chmod(0o755)
    return str(copy)


class Server:
    """A process with an HTTP port. Subclasses say how it is started."""

    def __init__(self, directory: Path, command: Sequence[str], port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        """Returns when it answers. Raises `AssertionError` with its log when it does not in time."""
        try:
            wait_until(self._ready, START_SECONDS, "becoming ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._log.read_text(errors='replace')}") from None

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET."""
        return httpx.get(self.url + path, params=query, timeout=10).raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        """The JSON of what a POST answers."""
        return httpx.post(self.url + path, json=body, timeout=10).raise_for_status().json()

    def close(self) -> None:
        """Stops it, by force if need be."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def _ready(self) -> bool:
        assert self._process.poll() is None, "it ended"
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running_alertmanagers(directory: Path, config: Mapping[str, Any], members: int = 1) -> Iterator[list[Server]]:
    """Alertmanager, or a cluster of several that share their notifications."""
    gossip = [free_port() for _ in range(members)]
    servers = []
    try:
        for n in range(members):
            home = directory / f"alertmanager-{n}"
            home.mkdir(parents=True)
            (home / "alertmanager.yml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
            program = alertmanager_in(home)
            port = free_port()
            cluster = [f"--cluster.listen-address={f'127.0.0.1:{gossip[n]}' if members > 1 else ''}"]
            if members > 1:
                cluster += [f"--cluster.peer=127.0.0.1:{other}" for other in gossip if other != gossip[n]]
                cluster += ["--cluster.settle-timeout=2s", "--cluster.peer-timeout=3s"]
            servers.append(
                Server(
                    home,
                    [
                        program, f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/data",
                        f"--web.listen-address=127.0.0.1:{port}", *cluster,
                    ],
                    port,
                )
            )  # fmt: skip
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        for server in servers:
            server.close()


@contextmanager
def running_prometheus(directory: Path, config: Mapping[str, Any]) -> Iterator[Server]:
    """Prometheus with a configuration; the files that it names are looked for in `directory`."""
    program = str(find_program("prometheus", "prometheus"))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "prometheus.yml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    port = free_port()
    command = [
        program, f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    server = Server(directory, command, port)
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()
