"""The handle of the endpoint for tests: starts its process, tells it what to do wrong, asks what has happened."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.common.store import Store
from services.common.store.clickhouse import open_store
from tests.support.broker import free_port
from tests.support.clickhouse_http.cluster import NAME
from tests.support.clickhouse_http.faults import Kind

START_SECONDS = 90.0
USER = "warroom"
PASSWORD = "s3cret/@:%"
"""With everything in it that a URL escapes."""

INSERTS = "(?i)^INSERT"


class Endpoint:
    """A process with its own chDB directory, in front of which it speaks HTTP on a port that it keeps."""

    def __init__(
        self,
        directory: Path,
        *,
        megabytes: int | None = None,
        identity: Path | None = None,
        client_ca: Path | None = None,
        shards: int = 0,
    ) -> None:
        """With `megabytes` the data lie on a file system of this size, in memory, that only the process sees. With
        `identity`, a file of a certificate and its key, it speaks HTTPS; with `client_ca` it wants to see a certificate
        of that authority. With `shards` it is a cluster of so many, see `cluster`."""
        self._identity = identity
        self._client_ca = client_ca
        self.directory = directory
        self._shards = shards
        self.port = free_port()
        self._control_port = free_port()
        self._megabytes = megabytes
        self._process: subprocess.Popen[bytes] | None = None
        self._control = httpx.Client(base_url=f"http://127.0.0.1:{self._control_port}", timeout=30)

    @property
    def url(self) -> str:
        """What WARROOM_CLICKHOUSE_URL is set to."""
        scheme = "http" if self._identity is None else "https"
        return f"{scheme}://{USER}:s3cret%2F%40%3A%25@127.0.0.1:{self.port}/default"

    def store(self, *, timeout_seconds: float = 30.0) -> Store:
        """A store of this endpoint; the caller closes it."""
        return open_store(self.url, timeout_seconds=timeout_seconds, cluster=NAME if self._shards else None)

    def start(self) -> None:
        """Returns when it answers. Raises `RuntimeError` when it does not within 30 s."""
        self.directory.mkdir(parents=True, exist_ok=True)
        scratch = self.directory / "scratch"
        scratch.mkdir(exist_ok=True)
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        command = [
            sys.executable, "-m", "tests.support.clickhouse_http", "--path", str(data), "--port", str(self.port),
            "--control-port", str(self._control_port), "--user", USER, "--password", PASSWORD,
            "--with-parent", "--shards", str(self._shards),
        ]  # fmt: skip
        if self._identity is not None:
            command += ["--identity", str(self._identity)]
        if self._client_ca is not None:
            command += ["--client-ca", str(self._client_ca)]
        if self._megabytes is not None:
            if shutil.which("unshare") is None:
                raise RuntimeError("a file system of its own needs `unshare` (util-linux)")
            mount = f'mount -t tmpfs -o size={self._megabytes}m tmpfs "$0" && exec "$@"'
            command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(data), *command]
        with (self.directory / "endpoint.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                # A test run that is killed takes it along.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "TMPDIR": str(scratch)},
            )
        assert self._process.stdout is not None
        # Not `select`, which knows no descriptor above 1,023.
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            ready = selector.select(START_SECONDS)
        if not ready or self._process.stdout.readline().strip() != b"ready":
            self.kill()
            text = (self.directory / "endpoint.log").read_text(errors="replace")
            raise RuntimeError(f"the endpoint did not start: {text[-2000:]}")

    def stop(self) -> None:
        """Stops in order, and by force after 10 s. Harmless when it is not running."""
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        self._reap()

    def kill(self) -> None:
        """kill -9, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def fail(
        self,
        kind: Kind,
        *,
        on: str = INSERTS,
        times: int | None = None,
        seconds: float = 0.0,
        status: int = 500,
        code: int = 241,
        message: str = "told to fail",
    ) -> None:
        """Does this wrong to the next `times` requests, or to all until told otherwise, whose SQL matches `on`."""
        self._tell(
            "/faults",
            {
                "kind": kind,
                "on": on,
                "times": times,
                "seconds": seconds,
                "status": status,
                "code": code,
                "message": message,
            },
        )

    def heal(self) -> None:
        """Ends every fault, and opens the port again."""
        self._tell("/clear")
        self._tell("/accept")

    def refuse(self) -> None:
        """Closes the port: connections are refused, and those that there are are cut."""
        self._tell("/refuse")

    def fill_disk(self) -> None:
        """Takes all the room on the data's file system. Only with `megabytes`."""
        assert self._megabytes is not None
        self._tell("/fill")

    def free_disk(self) -> None:
        """Gives the room back."""
        self._tell("/free")

    def state(self) -> dict[str, Any]:
        """`requests`, `failed`, `faults` by kind, and `recent` statements."""
        answer = self._control.get("/state")
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    def failed(self) -> int:
        """How many requests were treated wrong so far."""
        return int(self.state()["failed"])

    def _tell(self, path: str, body: object = None) -> None:
        self._control.post(path, json=body if body is not None else {}).raise_for_status()

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


@contextmanager
def running_endpoint(
    directory: Path,
    *,
    megabytes: int | None = None,
    identity: Path | None = None,
    client_ca: Path | None = None,
    shards: int = 0,
) -> Iterator[Endpoint]:
    """An endpoint for the length of a `with` block."""
    endpoint = Endpoint(directory, megabytes=megabytes, identity=identity, client_ca=client_ca, shards=shards)
    endpoint.start()
    try:
        yield endpoint
    finally:
        endpoint.stop()
