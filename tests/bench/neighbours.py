"""Bytewax and Quix Streams, in an environment of their own, at the same topic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.task import CHILD_SECONDS

WAYS = ("window", "plain")
"""Their own window operator; and a dictionary instead, the least that reading and parsing cost there."""

PEERS = {"bytewax": "Bytewax", "quix": "Quix Streams"}

_HERE = Path(__file__).parent / "peers"
_LOCK = _HERE / "requirements.lock"
_INSTALL_SECONDS = 300


class Unavailable(Exception):
    """A peer cannot be had or does not run; says why."""


def install(environment: Path) -> None:
    """Makes the environment, or does nothing when it is as the lock file says. Raises `Unavailable`."""
    stamp = environment / "requirements.lock"
    if stamp.exists() and stamp.read_bytes() == _LOCK.read_bytes():
        return
    pip = [str(_python(environment)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(environment)],
            [*pip, "--require-hashes", "-r", str(_LOCK)],
        ):
            subprocess.run(command, check=True, timeout=_INSTALL_SECONDS, stdout=sys.stderr)
    except (subprocess.SubprocessError, OSError) as error:
        raise Unavailable(f"could not be installed: {error}") from error
    stamp.write_bytes(_LOCK.read_bytes())


def count(environment: Path, peer: str, way: str, bootstrap_servers: str, topic: str, events: int) -> dict[str, Any]:
    """Has a peer count the events of a topic with one partition; returns its figures. Raises `Unavailable`."""
    try:
        finished = subprocess.run(
            [str(_python(environment)), str(_HERE / f"{peer}_count.py"), bootstrap_servers, topic, str(events), way],
            capture_output=True,
            timeout=CHILD_SECONDS,
            check=True,
        )
        result: dict[str, Any] = msgspec.json.decode(finished.stdout)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"failed: {error.stderr.decode(errors='replace')[-500:]}") from error
    except (subprocess.SubprocessError, OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"failed: {error}") from error
    return result


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"
