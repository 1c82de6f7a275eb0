"""The request to stop, from its signal on."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

logger = logging.getLogger(__name__)

STOP_SECONDS = 13.5
"""From the signal to the end of the process; the contract gives it 15 s."""


class StopRequest:
    """SIGTERM and SIGINT for the whole life of the process.

    An event loop's own handlers come late and go early: before and after them a signal would end the process at once
    and leave the broker behind. The first signal counts, further ones change nothing.

    The handler never raises: an exception would come up wherever the program happens to be, and where a library
    written in C or Rust calls Python it is swallowed, or taken for a failure of what was called.
    """

    def __init__(self, seconds: float = STOP_SECONDS) -> None:
        self._seconds = seconds
        self._asked_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self._asked = threading.Event()
        self.last_resort: Callable[[], None] = lambda: None
        """Called when the time is over and the process is about to be ended by force."""

    def install(self) -> None:
        """Takes over both signals; until `event` is called a signal ends the process at once with status 0.

        Nothing that has to be stopped may be started before `event` is called.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    def event(self) -> asyncio.Event:
        """An event of the running loop that the signal sets."""
        if self._event is None:
            # Started here because a handler that starts a thread may wait for a lock that it interrupted.
            threading.Thread(target=self._watch, name="stop", daemon=True).start()
            self._loop = asyncio.get_running_loop()
            self._event = asyncio.Event()
        return self._event

    def seconds_left(self) -> float:
        """What is left of the time to stop; all of it when nobody asked yet (a part failed, say)."""
        if self._asked_at is None:
            return self._seconds
        return max(0.0, self._asked_at + self._seconds - time.monotonic())

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self._asked_at is not None:
            return
        if self._loop is None or self._event is None:
            os._exit(0)
        self._asked_at = time.monotonic()
        self._asked.set()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    def _watch(self) -> None:
        # A thread inside ClickHouse or Kafka that never returns must not keep the process.
        self._asked.wait()
        time.sleep(self._seconds + 0.5)
        self._force()

    def _force(self) -> None:
        logger.error("stopped by force: a part did not end in time")
        self.last_resort()
        os._exit(0)
