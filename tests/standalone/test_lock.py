"""Two standalones on one directory would tear its store apart."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from services.common.errors import ConfigurationError
from services.standalone.lock import DirectoryLock


async def test_a_second_holder_is_refused_by_name_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = DirectoryLock(tmp_path / "data"), DirectoryLock(tmp_path / "data")
    await first.acquire()
    with pytest.raises(ConfigurationError, match=r"in use by process \d+"):
        await second.acquire(patience_seconds=0.1)
    first.release()
    await second.acquire(patience_seconds=0.1)
    second.release()


async def test_a_child_that_outlives_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    await lock.acquire()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    lock.release()
    again = DirectoryLock(tmp_path)
    await again.acquire(patience_seconds=0.1)
    again.release()
    await asyncio.wait_for(child.communicate(b"\n"), 60)


async def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="choose another --data-dir"):
        await DirectoryLock(tmp_path / "file" / "data").acquire()
