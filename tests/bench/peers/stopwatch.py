"""Times a peer from its first record on. Imports nothing of Warroom: it runs in the peers' own environment."""

from __future__ import annotations

import json
import resource
import time


class Stopwatch:
    """Starts at the first `start`; so connecting to Kafka is not counted, nor what was fetched before."""

    def __init__(self) -> None:
        self._started: tuple[float, float] | None = None

    def start(self) -> None:
        """Does nothing after the first time."""
        if self._started is None:
            self._started = (time.perf_counter(), _cpu())

    def tell(self, events: int, versions: dict[str, str]) -> None:
        """Prints the figures of so many events as one line of JSON."""
        assert self._started is not None
        seconds, cpu = time.perf_counter() - self._started[0], _cpu() - self._started[1]
        print(
            json.dumps(
                {
                    "seconds": round(seconds, 4),
                    "events_per_second": round(events / seconds, 1),
                    "cpu_us_per_event": round(cpu / events * 1e6, 4),
                    "versions": versions,
                }
            )
        )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
