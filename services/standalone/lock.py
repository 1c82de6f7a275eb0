"""One standalone on one data directory."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path

from services.common.errors import ConfigurationError

_PATIENCE_SECONDS = 3.0
_POLL_SECONDS = 0.05


class DirectoryLock:
    """Holds a directory for this process.

    The kernel releases the lock when the process ends in whatever way, so that nothing has to be cleaned up after a
    crash. Children do not inherit it: Python opens files close-on-exec.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "standalone.lock"
        self._file: int | None = None

    async def acquire(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Creates the directory and takes it, waiting a little for a predecessor that was just killed.

        Raises `ConfigurationError` when another process holds it or when it cannot be written.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ConfigurationError(
                f"the data directory {self._directory} cannot be used ({error.strerror}); choose another --data-dir"
            ) from error
        deadline = time.monotonic() + patience_seconds
        try:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise ConfigurationError(self._refusal(file)) from None
                await asyncio.sleep(_POLL_SECONDS)
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def release(self) -> None:
        """Gives the directory free; does nothing when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _refusal(self, file: int) -> str:
        holder = os.pread(file, 32, 0).decode(errors="replace").strip()
        who = f"process {holder}" if holder else "another process"
        return f"{self._directory} is in use by {who}; stop that Warroom or choose another --data-dir"
