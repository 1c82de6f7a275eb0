"""Programs in Go for system tests: built once from the module proxy, at the versions that a `go.sum` holds, and cached.

Each tool is a module of its own, a folder under `tests/support/go`. It either is a program (`main.go`), or names one of
somebody else's by a `tool` directive in its `go.mod`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.support.debian import FETCH_SECONDS, NotToBeHad

MODULES = Path(__file__).resolve().parent / "go"
BUILD_SECONDS = 1200
"""The first build on a machine fetches and compiles some hundred packages; a test that may be the one that does it has
to be marked `pytest.mark.timeout(BUILD_SECONDS)`."""


@cache
def build(tool: str) -> Path:
    """The program of the module `tests/support/go/TOOL`. Raises `NotToBeHad`.

    It lies in the user's cache under the hash of its sources, `go.mod` and `go.sum` among them, so that it is built
    again exactly when one of them changes.
    """
    module = MODULES / tool
    go = shutil.which("go")
    if go is None:
        raise NotToBeHad(f"{tool}: install Go 1.24 or later (https://go.dev/doc/install)")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warroom"
    program = home / f"go-{tool}-{_hash(module)}" / tool
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"go-{tool}.lock").open("w") as lock:
        # Two suites side by side build it once. The lock goes with the process.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _build(go, module, program)
    return program


def _build(go: str, module: Path, program: Path) -> None:
    package = "." if (module / "main.go").is_file() else "tool"
    with tempfile.TemporaryDirectory(dir=program.parents[1]) as folder:
        try:
            subprocess.run(
                [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", f"{folder}/", package],
                cwd=module, capture_output=True, timeout=BUILD_SECONDS, check=True,
                env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
            )  # fmt: skip
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = (error.stderr or b"").decode(errors="replace").strip()
            raise NotToBeHad(f"{program.name}: {said[-2000:] or error}") from None
        (built,) = Path(folder).iterdir()
        program.parent.mkdir(exist_ok=True)
        built.rename(program)


def _hash(module: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(module.iterdir()):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def module_folder(tool: str, module: str) -> Path:
    """The files of a module that `tests/support/go/TOOL` requires, fetched, and checked by its `go.sum`.

    Raises `NotToBeHad`.
    """
    go = shutil.which("go")
    if go is None:
        raise NotToBeHad(f"{module}: install Go 1.24 or later (https://go.dev/doc/install)")
    try:
        done = subprocess.run(
            [go, "mod", "download", "-json", module],
            cwd=MODULES / tool, capture_output=True, timeout=FETCH_SECONDS, check=True,
            env={**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stdout or b"").decode(errors="replace") + (error.stderr or b"").decode(errors="replace")
        raise NotToBeHad(f"{module}: {said.strip()[-2000:] or error}") from None
    return Path(json.loads(done.stdout)["Dir"])
