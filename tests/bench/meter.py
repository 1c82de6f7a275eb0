"""Time, CPU and memory of this process between two moments, and the broker's CPU."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_EVERY_SECONDS = 0.01
_MEGABYTE = 1 << 20


class Meter:
    """Starts when it is made."""

    def __init__(self, broker_pid: int) -> None:
        self._broker = psutil.Process(broker_pid)
        self._broker_before = cpu_seconds(self._broker)
        self._threads_before = _threads()
        self._before = resource.getrusage(resource.RUSAGE_SELF)
        self._time = time.perf_counter()

    def result(self, events: int) -> dict[str, float]:
        """Figures of the events handled since the start; CPU is that of all threads, user and system."""
        seconds = time.perf_counter() - self._time
        before, after = self._before, resource.getrusage(resource.RUSAGE_SELF)
        broker = cpu_seconds(self._broker) - self._broker_before
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        return {
            "seconds": round(seconds, 4),
            "events_per_second": round(events / seconds, 1),
            "cpu_us_per_event": round((user + system) / events * 1e6, 4),
            "system_us_per_event": round(system / events * 1e6, 4),
            "broker_cpu_us_per_event": round(broker / events * 1e6, 4),
            "page_faults_per_event": round((after.ru_minflt - before.ru_minflt) / events, 3),
        }

    def threads(self, events: int) -> dict[str, float]:
        """CPU microseconds an event since the start by name of thread, of the threads that are there now.

        Threads of a pool count as one: what follows a name's last letter is cut off.
        """
        spent: dict[str, float] = defaultdict(float)
        for thread, (name, seconds) in _threads().items():
            spent[name] += seconds - self._threads_before.get(thread, (name, 0.0))[1]
        return {name: round(seconds / events * 1e6, 4) for name, seconds in sorted(spent.items()) if seconds > 0}


class MemoryWatch:
    """Looks at this process's resident memory a hundred times a second for the length of a `with` block.

    `ru_maxrss` would not do: it counts what the start of the process took as well.
    """

    def __init__(self) -> None:
        self.idle = _resident()
        self.peak = self.idle
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory-watch", daemon=True)

    @property
    def above_idle_mb(self) -> float:
        """How far the peak lies above what there was when this was made, in MiB."""
        return round((self.peak - self.idle) / _MEGABYTE, 1)

    @property
    def idle_mb(self) -> float:
        """What there was when this was made, in MiB."""
        return round(self.idle / _MEGABYTE, 1)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._end.wait(_EVERY_SECONDS):
            self.peak = max(self.peak, _resident())


def cpu_seconds(process: psutil.Process) -> float:
    """User and system CPU seconds of all threads of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _threads() -> dict[int, tuple[str, float]]:
    found = {}
    for thread in psutil.Process().threads():
        try:
            name = Path(f"/proc/self/task/{thread.id}/comm").read_text().strip()
        except OSError:
            continue
        if thread.id == os.getpid():
            name = "event loop"
        found[thread.id] = (name.rstrip("0123456789_-:#") or name, thread.user_time + thread.system_time)
    return found
