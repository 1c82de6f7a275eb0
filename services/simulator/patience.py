"""How to wait for a part that is not up yet: backoff with jitter, and an end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 3.0


async def attempts(within_seconds: float, stop: asyncio.Event) -> AsyncIterator[bool]:
    """Yields once per attempt, True when it is the last; waits longer between attempts each time.

    Ends early, without a last attempt, when `stop` is set.
    """
    deadline = time.monotonic() + within_seconds
    pause = _FIRST_SECONDS
    while not stop.is_set():
        last = time.monotonic() >= deadline
        yield last
        if last:
            return
        remaining = max(0.05, deadline - time.monotonic())
        try:
            await asyncio.wait_for(stop.wait(), min(remaining, pause * random.uniform(0.7, 1.3)))
        except TimeoutError:
            pause = min(_LONGEST_SECONDS, pause * 1.7)
