"""The part that looks after the embedded broker while the system runs."""

from __future__ import annotations

import asyncio
import logging
import time

from fastapi import APIRouter

from services.common.errors import BrokerError
from services.standalone.broker import EmbeddedBroker
from services.standalone.trim import Trimmer

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_TRIM_SECONDS = 10.0


class BrokerKeeper:
    """Watches the broker and keeps it small.

    A broker that ends by itself ends the whole process. Starting it again unseen would hide that it lost what it had
    acknowledged since it last saved; whoever supervises us starts both again, and reads why in the log.
    """

    name = "broker"

    def __init__(self, broker: EmbeddedBroker, trimmer: Trimmer) -> None:
        self.router = APIRouter()
        self._broker = broker
        self._trimmer = trimmer

    async def run(self, stop: asyncio.Event) -> None:
        """Raises `BrokerError` when the broker has ended."""
        trimmed = time.monotonic()
        while not stop.is_set():
            if not self._broker.alive():
                raise BrokerError(
                    "the embedded broker ended by itself; records of its last seconds may be lost; "
                    f"{self._broker.log} may say why"
                )
            if time.monotonic() - trimmed >= _TRIM_SECONDS:
                await self._trimmer.trim()
                trimmed = time.monotonic()
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    def not_ready(self) -> str | None:
        return None if self._broker.alive() else "the embedded broker has ended"
