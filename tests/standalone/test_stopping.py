"""Signals from the first moment of a process to its last, in processes of their own."""

from __future__ import annotations

import asyncio
import signal
import sys

IN_TIME = 20.0

BEFORE_THE_LOOP = """
import time
from services.standalone.stopping import StopRequest
StopRequest().install()
print("up", flush=True)
time.sleep(60)
"""

WHERE_EXCEPTIONS_ARE_SWALLOWED = """
import sys, time
from services.standalone.stopping import StopRequest
StopRequest().install()
class Finalized:
    def __del__(self):
        print("up", flush=True)
        time.sleep(60)
Finalized()
sys.exit(2)
"""

AFTER_THE_LOOP = """
import asyncio, sys, time
from services.standalone.stopping import StopRequest
stop = StopRequest()
stop.install()
async def main():
    event = stop.event()
    print("up", flush=True)
    await event.wait()
asyncio.run(main())
print("over", flush=True)
sys.stdin.readline()
print("clean", flush=True)
"""

AFTER_A_FAILURE = """
import asyncio, sys
from services.standalone.stopping import StopRequest
stop = StopRequest()
stop.install()
async def main():
    stop.event()
asyncio.run(main())
print("up", flush=True)
sys.stdin.readline()
sys.exit(2)
"""

NEVER_ENDS = """
import asyncio, threading
from services.standalone.stopping import StopRequest
stop = StopRequest(seconds=0.3)
stop.install()
stop.last_resort = lambda: print("last resort", flush=True)
async def main():
    stop.event()
    print("up", flush=True)
    await asyncio.to_thread(threading.Event().wait)
asyncio.run(main())
"""


async def started(program: str) -> asyncio.subprocess.Process:
    """A program that has said that it is up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), IN_TIME) == b"up\n"
    return process


async def test_a_signal_while_python_still_imports_ends_it_with_status_0() -> None:
    process = await started(BEFORE_THE_LOOP)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), IN_TIME) == 0


async def test_a_signal_where_an_exception_would_be_swallowed_ends_it_all_the_same() -> None:
    process = await started(WHERE_EXCEPTIONS_ARE_SWALLOWED)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), IN_TIME) == 0


async def test_a_signal_after_a_failure_does_not_hide_the_failure() -> None:
    process = await started(AFTER_A_FAILURE)
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(b"\n"), IN_TIME)
    assert process.returncode == 2


async def test_a_second_signal_does_not_cut_short_what_follows_the_event_loop() -> None:
    process = await started(AFTER_THE_LOOP)
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.stdout.readline(), IN_TIME) == b"over\n"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(process.communicate(b"\n"), IN_TIME)
    assert (rest, process.returncode) == (b"clean\n", 0)


async def test_a_part_that_never_returns_is_left_behind_when_the_time_is_over() -> None:
    process = await started(NEVER_ENDS)
    process.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(process.communicate(), IN_TIME)
    assert (rest, process.returncode) == (b"last resort\n", 0)
