"""Programs of Debian packages for system tests: the machine's own, or unpacked into the cache and not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FETCH_SECONDS = 240


class NotToBeHad(RuntimeError):
    """The machine has no such program and cannot get it; the message says why."""


def find_program(name: str, package: str) -> Path:
    """The program on the path, or out of its package. Raises `NotToBeHad`.

    Unpacking leaves the machine as it is: no service starts and no user is made.
    """
    installed = shutil.which(name)
    if installed is not None:
        return Path(installed)
    for folder in ("bin", "sbin"):
        program = _unpacked(package) / "usr" / folder / name
        if program.is_file():
            return program
    raise NotToBeHad(f"the package {package} has no {name}")


@cache
def _unpacked(package: str) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warroom"
    root = home / f"debian-{package}"
    if root.is_dir():
        return root
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotToBeHad(f"install {package}: this machine is no Debian")
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        try:
            _fetch(package, Path(folder))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            raise NotToBeHad(f"apt-get cannot fetch {package}: {said[-1] if said else error}") from None
        (file,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg", "-x", str(file), f"{folder}/root"], check=True, timeout=FETCH_SECONDS)
        # At once as a whole, whoever else is fetching it.
        try:
            Path(folder, "root").rename(root)
        except OSError:
            if not root.is_dir():
                raise
    return root


def _fetch(package: str, folder: Path) -> None:
    command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", package]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=False).returncode == 0:
        return
    # The machine's lists may be missing or old.
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "update"], capture_output=True, timeout=FETCH_SECONDS, check=True)
    subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=True)
