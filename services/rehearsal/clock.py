"""A clock for days that pass in minutes."""

from __future__ import annotations

import time
from collections.abc import Callable


def _running() -> int:
    return time.monotonic_ns() // 1_000_000


class VirtualClock:
    """Runs as a clock does, and may be pushed forward. It never goes back.

    It runs between pushes too, because parts that share it wait by it for some milliseconds. A step that takes longer
    than it is worth runs at real speed.
    """

    def __init__(self, start_ms: int, running: Callable[[], int] = _running) -> None:
        """`running` counts milliseconds from anywhere on, and never goes back."""
        self._running = running
        self._ahead = start_ms - running()

    def __call__(self) -> int:
        """Epoch milliseconds."""
        return self._running() + self._ahead

    def push(self, to_ms: int) -> None:
        """It is at least that late from now on."""
        self._ahead += max(0, to_ms - self())
