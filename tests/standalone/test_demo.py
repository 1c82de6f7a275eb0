"""The demo's input: it comes when there is a system to receive it, fails in bounds, and leaves with the demo."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from services.standalone.broker import holds_within
from services.standalone.demo import DEMO_SETTINGS, DEMO_SPEED, DemoInput
from services.standalone.system import Place, standalone_settings
from tests.architecture.sources import ROOT

IN_TIME = 10.0


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    """A server that answers 200 to whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def python(program: str) -> Callable[[], Awaitable[list[str]]]:
    """A program as the input."""

    async def command() -> list[str]:
        return [sys.executable, "-c", program]

    return command


async def until(said: list[str], words: str) -> None:
    """Waits for a sentence."""
    assert await holds_within(IN_TIME, lambda: any(words in sentence for sentence in said)), said


async def test_an_input_that_keeps_failing_is_given_up_and_the_system_goes_on(base_url: str, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    program = f"open({str(runs)!r}, 'a').write('x'); raise SystemExit(3)"
    said: list[str] = []
    stop = asyncio.Event()
    source = DemoInput(python(program), base_url, said.append, "banner", pause_seconds=0.01)
    task = asyncio.create_task(source.run(stop))
    await until(said, "not started again")
    assert not task.done()
    assert said[0] == "banner"
    assert runs.read_text() == "x" * 6
    stop.set()
    await asyncio.wait_for(task, IN_TIME)


async def test_an_input_that_is_over_is_not_started_again(base_url: str, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    program = f"open({str(runs)!r}, 'a').write('x')"
    said: list[str] = []
    stop = asyncio.Event()
    source = DemoInput(python(program), base_url, said.append, "banner", pause_seconds=0.01)
    task = asyncio.create_task(source.run(stop))
    await until(said, "is over")
    stop.set()
    await asyncio.wait_for(task, IN_TIME)
    assert runs.read_text() == "x"


async def test_stopping_ends_the_input_and_waits_for_it(base_url: str, tmp_path: Path) -> None:
    born = tmp_path / "pid"
    program = (
        f"import os, time; open({str(born)!r} + '.new', 'w').write(str(os.getpid()));"
        f"os.rename({str(born)!r} + '.new', {str(born)!r}); time.sleep(60)"
    )
    stop = asyncio.Event()
    source = DemoInput(python(program), base_url, lambda _: None, "")
    task = asyncio.create_task(source.run(stop))
    assert await holds_within(IN_TIME, born.exists)
    stop.set()
    await asyncio.wait_for(task, IN_TIME)
    assert not psutil.pid_exists(int(born.read_text()))


async def test_no_input_without_a_system(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    stop = asyncio.Event()
    source = DemoInput(python(f"open({str(runs)!r}, 'w')"), "http://127.0.0.1:9", lambda _: None, "")
    task = asyncio.create_task(source.run(stop))
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.wait_for(task, IN_TIME)
    assert not runs.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
async def test_an_input_dies_with_a_demo_that_is_killed() -> None:
    parent_program = (
        "import subprocess, time\n"
        "from services.standalone.demo import tied_command\n"
        "command = tied_command('print(1, flush=True); signal.pause()')\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", parent_program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(await asyncio.wait_for(parent.stdout.readline(), IN_TIME)))
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    assert await holds_within(IN_TIME, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_haste_of_the_input_is_no_brushing_unless_somebody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: half of the demo's money under suspicion, because households buy a day's groceries in 30 s."""
    monkeypatch.delenv("WARROOM_BRUSHING_ORDERS_PER_HOUR", raising=False)
    place = Place(tmp_path, 1, 2)
    settings, _ = standalone_settings(place, DEMO_SETTINGS)
    assert settings.brushing_orders_per_hour == 28_800
    monkeypatch.setenv("WARROOM_BRUSHING_ORDERS_PER_HOUR", "3")
    settings, _ = standalone_settings(place, DEMO_SETTINGS)
    assert settings.brushing_orders_per_hour == 3


def test_compose_replays_as_hastily_and_allows_as_much() -> None:
    """Catches: a demo in containers that shows other money than `make demo`."""
    assert f"WARROOM_BRUSHING_ORDERS_PER_HOUR={DEMO_SETTINGS['brushing_orders_per_hour']}\\n" in (
        ROOT / "deploy" / "secrets.sh"
    ).read_text(encoding="utf-8")
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    assert f"- --speed={DEMO_SPEED}\n" in compose
