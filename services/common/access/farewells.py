"""Who has signed out, of every process on one store: the cookie of one is good at all, and so is its end.

The activity log says it; each process reads there what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Final

from services.common.access.activity import ActivityLog
from services.common.access.session import Sessions
from services.common.clock import Clock
from services.common.errors import StoreError
from services.common.settings import MOST_SESSION_HOURS

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 5.0
LONGEST_MS: Final = MOST_SESSION_HOURS * 3_600_000
"""What `WARROOM_SESSION_HOURS` allows: it may have been more when a session began than it is now."""
LATE_MS: Final = 600_000
"""Entries are looked for so far back each time: other clocks differ, and a store that was away takes them late."""

_LONGEST_PAUSE_SECONDS = 60.0


class Farewells:
    """Ends sessions here that were signed out of elsewhere, or here before a restart.

    The first reading, and one after a store that did not answer, goes back as far as a session can last. Without a
    store there is nothing to read.
    """

    def __init__(self, log: ActivityLog, sessions: Sessions, clock: Clock) -> None:
        self._log = log
        self._sessions = sessions
        self._clock = clock
        self._read_at: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Reads every few seconds until told to stop; more seldom while the store does not answer."""
        failures = 0
        while not stop.is_set():
            try:
                await self.read()
                failures = 0
            except StoreError as error:
                failures += 1
                self._read_at = None
                if failures == 1:
                    logger.warning("sign-outs of other processes are not known", extra={"error": str(error)})
            pause = min(_LONGEST_PAUSE_SECONDS, EVERY_SECONDS * 2.0 ** min(failures, 10)) * random.uniform(0.8, 1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def read(self) -> None:
        """Raises `StoreError`."""
        now = self._clock()
        since = now - LONGEST_MS if self._read_at is None else self._read_at - LATE_MS
        for session, at_ms in await self._log.signed_out(since):
            # Whoever signs out has signed in before.
            self._sessions.end(session, (at_ms + LONGEST_MS) // 1000 + 1, now)
        self._read_at = now
