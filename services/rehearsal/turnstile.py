"""Lets a loop go round once when it is told to, and no sooner."""

from __future__ import annotations

import asyncio


class Turnstile:
    """Given to a service in the place of its rest between two rounds."""

    def __init__(self) -> None:
        self._resting = asyncio.Event()
        self._go = asyncio.Event()

    async def rest(self, stop: asyncio.Event, _: float) -> None:
        """What the service awaits: returns when a round is wanted, or `stop` is set."""
        self._resting.set()
        waiting = [asyncio.ensure_future(self._go.wait()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        self._go.clear()

    async def turn(self) -> None:
        """Waits until the service rests, lets it go round once, and returns when it rests again."""
        await self._resting.wait()
        self._resting.clear()
        self._go.set()
        await self._resting.wait()
