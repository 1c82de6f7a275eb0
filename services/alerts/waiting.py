"""Waiting that a stop ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

Rest = Callable[[asyncio.Event, float], Awaitable[None]]
"""Returns after about so many seconds, or as soon as the event is set."""


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Returns after so many seconds, or as soon as `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
