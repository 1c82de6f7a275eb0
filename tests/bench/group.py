"""Several ingest processes in one consumer group, each on a core of its own."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO

import msgspec
import psutil

from tests.bench.meter import cpu_seconds
from tests.bench.sharing import Sample, Usage
from tests.bench.task import CHILD_SECONDS, Task, command

_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 1.0
_STOP_SECONDS = 30


class _Member:
    """A child with what it has said so far; see `tests.bench.member`."""

    def __init__(self, task: Task, core: int) -> None:
        self.samples: list[Sample] = []
        self.warm = threading.Event()
        self._process = subprocess.Popen(
            command("member", task), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # Before it has any thread that would not be bound by it.
        os.sched_setaffinity(self._process.pid, {core})
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def join_group(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    @property
    def failed(self) -> bool:
        return self._process.poll() not in {None, 0}

    @property
    def was_assigned(self) -> bool:
        return any(sample.assigned for sample in list(self.samples))

    @property
    def handled(self) -> int:
        return self.samples[-1].handled if self.samples else 0

    def end(self) -> None:
        """Asks it to stop in order, and does not leave it behind."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(_STOP_SECONDS)
        except (subprocess.TimeoutExpired, OSError):
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
        self._reader.join(_STOP_SECONDS)

    def _read(self, lines: IO[str]) -> None:
        read = msgspec.json.Decoder(Sample).decode
        for line in lines:
            if line == "warm\n":
                self.warm.set()
            else:
                self.samples.append(read(line))


def run_group(tasks: Sequence[Task], cores: Sequence[int]) -> tuple[list[list[Sample]], list[Usage]]:
    """Runs a member on each core until the backlog that they share is in; the broker runs where it likes.

    Returns what each member said, and what the machine did meanwhile. Raises `RuntimeError` when a member fails.
    """
    broker = psutil.Process(tasks[0].broker_pid)
    members: list[_Member] = []
    try:
        for task, core in zip(tasks, cores, strict=True):
            members.append(_Member(task, core))
        deadline = time.monotonic() + CHILD_SECONDS
        while not all(member.warm.is_set() for member in members):
            _check(members, deadline)
            time.sleep(_LOOK_SECONDS)
        usage = [_look(broker, cores)]
        for member in members:
            member.join_group()
        moved, before = time.monotonic(), -1
        # A block that changed hands may be counted by both, so the sum alone does not say that all is in.
        while (
            (now := sum(member.handled for member in members)) < tasks[0].events
            or time.monotonic() - moved < _QUIET_SECONDS
            or not all(member.was_assigned for member in members)
        ):
            if now != before:
                moved, before = time.monotonic(), now
            _check(members, deadline)
            time.sleep(_LOOK_SECONDS)
            usage.append(_look(broker, cores))
        # The first that leaves lets the others have its partitions, which is no part of it.
        return [list(member.samples) for member in members], usage
    finally:
        for member in members:
            member.end()


def _look(broker: psutil.Process, cores: Sequence[int]) -> Usage:
    busy = 0.0
    for core, times in enumerate(psutil.cpu_times(percpu=True)):
        if core in cores:
            busy += sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
    return Usage(at=time.monotonic(), broker=cpu_seconds(broker), cores=busy)


def _check(members: Sequence[_Member], deadline: float) -> None:
    if any(member.failed for member in members):
        raise RuntimeError("an ingest process ended by itself; what it said stands above")
    if time.monotonic() > deadline:
        raise RuntimeError(f"the backlog is not in after {CHILD_SECONDS} s")
