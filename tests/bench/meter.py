"""Time and CPU of this process between two moments."""

from __future__ import annotations

import resource
import time


class Meter:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._cpu = self._used()
        self._time = time.perf_counter()

    def result(self, events: int) -> dict[str, float]:
        """Figures of the events handled since the start; CPU is that of all threads, user and system."""
        seconds = time.perf_counter() - self._time
        cpu = self._used() - self._cpu
        return {
            "seconds": round(seconds, 4),
            "events_per_second": round(events / seconds, 1),
            "cpu_us_per_event": round(cpu / events * 1e6, 4),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }

    @staticmethod
    def _used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime
