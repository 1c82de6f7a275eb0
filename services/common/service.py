"""What a room of the house is to the one that runs it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from fastapi import APIRouter


class Service(Protocol):
    """A part that runs until it is told to stop, alone in its process or beside others.

    Services share a process only through the store and Kafka; none holds a reference to another.
    """

    name: str
    router: APIRouter
    """The HTTP paths that it serves; empty when it has none. Health paths are added by the runtime."""

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes what it has begun and returns.

        Raises when it cannot go on; the runtime then stops the whole process with a non-zero status.
        """
        ...

    def not_ready(self) -> str | None:
        """None when it does its work, else the reason why not yet, as a short sentence. Never blocks."""
        ...
