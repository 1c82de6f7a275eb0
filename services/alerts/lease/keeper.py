"""Keeps an instance's lease, and says at every moment whether it may act."""

from __future__ import annotations

import asyncio
import logging
import random
import time

from services.alerts.lease.protocol import Lease
from services.alerts.waiting import pause
from services.common import prometheus
from services.common.errors import StoreError

logger = logging.getLogger(__name__)

_RENEWALS = 4
"""So many fit into a lease: some may fail."""
_RETRY_SECONDS = 0.5
_RELEASE_SECONDS = 2.0


def elapsed_ms() -> int:
    """Milliseconds since the machine was started, those in which it slept included where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock) // 1_000_000


class Keeper:
    """Renews the lease, or asks for it, four times in its length.

    `acting` holds from `begin` on: whoever comes to hold the lease first has to take up what the one before left.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._begun = 0
        self._was_held = False
        self._renew_seconds = lease.ttl_ms / 1000 / _RENEWALS
        self._wait_seconds = self._renew_seconds

    @property
    def due(self) -> int | None:
        """The term that is held at this moment and has not begun; None when there is nothing to begin."""
        return self._lease.term if self._lease.held and self._lease.term != self._begun else None

    @property
    def acting(self) -> bool:
        """Whether it is this instance's turn, in the term in which it has taken up what was left."""
        return self._lease.held and self._lease.term == self._begun

    @property
    def term(self) -> int:
        """The term in which it acts, or acted last."""
        return self._begun

    def begin(self, term: int) -> None:
        """What was left has been taken up in this term."""
        self._begun = term

    async def confirm(self) -> bool:
        """As `Lease.confirm`, of the term in which it acts."""
        return await self._lease.confirm(self._begun)

    async def run(self, stop: asyncio.Event) -> None:
        """Turns until `stop`; the lease is not given back by this."""
        while not stop.is_set():
            # Not all instances at once.
            await pause(stop, self._wait_seconds * random.uniform(0.9, 1.0))
            if not stop.is_set():
                await self.turn()

    async def turn(self) -> None:
        """Renews the lease or asks for it, once."""
        try:
            await self._lease.step()
            self._wait_seconds = self._renew_seconds
        except StoreError as error:
            self._wait_seconds = min(_RETRY_SECONDS, self._renew_seconds)
            logger.warning("lease could not be renewed", extra={"error": str(error)})
        self._say()

    async def release(self) -> None:
        """Gives the lease back, so that the next instance need not wait for its end. Never raises for the store."""
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._lease.release()
        except (StoreError, TimeoutError) as error:
            logger.warning("lease not given back", extra={"error": type(error).__name__})
        self._say()

    def _say(self) -> None:
        held = self._lease.held
        prometheus.ALERT_LEASE_HELD.set(held)
        if held != self._was_held:
            self._was_held = held
            logger.info("lease held" if held else "lease not held", extra={"term": self._lease.term})
