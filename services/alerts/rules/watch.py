"""Takes changed rules into force while the service runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence

from services.alerts.rules.book import RuleBook
from services.alerts.rules.model import Rule
from services.alerts.waiting import pause
from services.common.clock import Clock

_EVERY_SECONDS = 1.0


async def watch(
    book: RuleBook, clock: Clock, take: Callable[[Sequence[Rule]], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Polls the book once a second until `stop`, and hands changed rules to `take`.

    SIGHUP reads the file at the next second and takes it as it is then. Without a file there is nothing to watch.
    """
    if not book.watched:
        return
    asked = asyncio.Event()
    with _on_hangup(asked):
        while not stop.is_set():
            at_once = asked.is_set()
            asked.clear()
            # To check two thousand rules takes seconds.
            if await asyncio.to_thread(book.poll, clock(), at_once=at_once):
                await take(book.rules)
            await pause(stop, _EVERY_SECONDS)


@contextlib.contextmanager
def _on_hangup(asked: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGHUP, asked.set)
    except (NotImplementedError, RuntimeError, ValueError):
        # Only the main thread of a process hears signals; the file is watched all the same.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
