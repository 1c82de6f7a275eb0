"""What `warroom demo` adds to a standalone: real input, and words for the person who watches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

import httpx
from fastapi import APIRouter

from services.common.access.client import credentials
from services.common.clock import wall_clock
from services.common.settings import Settings
from services.standalone.runs import begin_run

logger = logging.getLogger(__name__)

DEMO_SPEED = 2880
"""A day of the data in 30 s."""

DEMO_SETTINGS = {"brushing_orders_per_hour": DEMO_SPEED * Settings.model_fields["brushing_orders_per_hour"].default}
"""An hour of the demo holds a household's orders of so many hours of the data, and none of them is brushing."""

_UNPREPARED = 75
"""The status, as in sysexits.h, of an input that could not be started yet."""

_READY_SECONDS = 120.0
_CHILD_STOP_SECONDS = 5.0
_MOST_RESTARTS = 5
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

# The kernel ends the input with the demo, however that ends: an orphan would go on beside the next demo's input.
_TIE = """
import ctypes, os, signal, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
"""


def tied_command(program: str, *arguments: str) -> list[str]:
    """A command line that runs a Python program with arguments and gets SIGTERM when this process ends."""
    return [sys.executable, "-c", _TIE + program, str(os.getpid()), *arguments]


async def replay_command(settings: Settings, base_url: str) -> list[str]:
    """The command line of the input: the real retailer's year, with the incidents that the demo provokes.

    Raises `httpx.HTTPError` when the API does not answer.
    """
    async with httpx.AsyncClient(
        base_url=base_url, timeout=10, trust_env=False, headers=credentials(settings)
    ) as client:
        campaign_id = await begin_run(client, wall_clock())
    return tied_command(
        "sys.argv[0] = 'warroom'\nfrom services.cli import main\nmain()",
        "replay", "completejourney", "--api", base_url,
        "--bootstrap-servers", str(settings.kafka_bootstrap_servers), "--incidents", "demo",
        "--campaign-id", campaign_id, "--speed", str(DEMO_SPEED),
    )  # fmt: skip


class DemoInput:
    """Starts the input in a process of its own once the system is ready, and starts it again when it fails.

    `command` is asked for the command line before each start.
    The system goes on when the input has ended, be it in order or after its last restart: there is still something
    to look at, and Kafka takes events from anyone.
    """

    name = "input"

    def __init__(
        self,
        command: Callable[[], Awaitable[Sequence[str]]],
        base_url: str,
        say: Callable[[str], None],
        banner: str,
        *,
        pause_seconds: float = _FIRST_PAUSE_SECONDS,
    ) -> None:
        self.router = APIRouter()
        self._command = command
        self._base_url = base_url
        self._say = say
        self._banner = banner
        self._pause_seconds = pause_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; the input is stopped with it."""
        if not await self._system_ready(stop):
            if not stop.is_set():
                self._say(
                    f"Not ready after {_READY_SECONDS:.0f} s; {self._base_url}/readyz says why. No input is sent."
                )
            await stop.wait()
            return
        self._say(self._banner)
        pause = self._pause_seconds
        for restart in range(_MOST_RESTARTS + 1):
            status = await self._run_once(stop)
            if stop.is_set():
                return
            logger.log(
                logging.ERROR if status else logging.INFO, "input ended", extra={"status": status, "restarts": restart}
            )
            if status == 0:
                self._say("The input is over. The war room stays open; Ctrl-C closes it.")
                break
            if restart == _MOST_RESTARTS:
                self._say(f"The input failed {restart + 1} times and is not started again. The war room stays open.")
                break
            self._say(f"The input ended with status {status}; it is started again in {pause:.0f} s.")
            await _wait(stop, pause * random.uniform(0.8, 1.2))
            pause = min(_LONGEST_PAUSE_SECONDS, 2 * pause)
        await stop.wait()

    def not_ready(self) -> str | None:
        """Never: the system is ready without input."""
        return None

    async def _system_ready(self, stop: asyncio.Event) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_SECONDS
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while not stop.is_set() and loop.time() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self._base_url}/readyz")).status_code == httpx.codes.OK:
                        return True
                await _wait(stop, 0.1)
        return False

    async def _run_once(self, stop: asyncio.Event) -> int:
        if stop.is_set():
            return 0
        # A session of its own: Ctrl-C in a terminal reaches us alone, and we stop it in order. It inherits the
        # terminal's output for its progress bar; its log would tear that apart, so only what matters is let through.
        try:
            command = await self._command()
        except httpx.HTTPError as error:
            logger.warning("input was not prepared", extra={"error": repr(error)})
            return _UNPREPARED
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            env={"WARROOM_LOG_LEVEL": "WARNING", **os.environ},
            start_new_session=True,
        )
        ended = asyncio.create_task(child.wait(), name="input-process")
        stopped = asyncio.create_task(stop.wait(), name="input-stop")
        try:
            await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(signal.SIGTERM)
                await asyncio.wait([ended], timeout=_CHILD_STOP_SECONDS)
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
        return await ended


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
