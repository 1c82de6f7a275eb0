"""Processes by identity: a process id alone may name a stranger later on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the kernel tells it from every other of this boot: by its id and by when it started."""

    pid: int
    started: int
    """Clock ticks between the boot and its start."""

    def alive(self) -> bool:
        """Whether it still runs; one that ended and was not reaped does not."""
        return _started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if it still runs. Raises `PermissionError` when it belongs to another user."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def identify(pid: int) -> Process | None:
    """The process that has this id now, None when there is none."""
    started = _started(pid)
    return None if started is None else Process(pid, started)


def running() -> Iterator[tuple[Process, list[str]]]:
    """Every process that can be seen, with its command line; none where the system has no `/proc`."""
    if not _PROC.is_dir():
        return
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        process = identify(int(entry.name))
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        # Read after the identity: it is the same process only if that still holds.
        if process is not None and process.alive():
            yield process, line.decode(errors="surrogateescape").split("\0")[:-1]


def _started(pid: int) -> int | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The second field, the command in brackets, may itself hold blanks and brackets.
    fields = stat[stat.rindex(b")") + 2 :].split()
    state, started = fields[0], fields[19]
    return None if state in (b"Z", b"X") else int(started)
