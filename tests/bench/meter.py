"""Time, CPU and memory of this process between two moments."""

from __future__ import annotations

import resource
import time


class Meter:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._before = resource.getrusage(resource.RUSAGE_SELF)
        self._time = time.perf_counter()

    def result(self, events: int) -> dict[str, float]:
        """Figures of the events handled since the start; CPU is that of all threads, user and system."""
        seconds = time.perf_counter() - self._time
        before, after = self._before, resource.getrusage(resource.RUSAGE_SELF)
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        return {
            "seconds": round(seconds, 4),
            "events_per_second": round(events / seconds, 1),
            "cpu_us_per_event": round((user + system) / events * 1e6, 4),
            "system_us_per_event": round(system / events * 1e6, 4),
            "page_faults_per_event": round((after.ru_minflt - before.ru_minflt) / events, 3),
            "peak_rss_mb": round(after.ru_maxrss / 1024, 1),
        }
