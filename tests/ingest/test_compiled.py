"""Compiled code is remembered by the file that it stands in."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

from numba.core.registry import CPUDispatcher

import services.ingest


def test_no_compiled_function_calls_one_of_another_file() -> None:
    """It would go on calling the old one after a change: what Numba remembers is told by the caller's file alone."""
    checked = 0
    for found in pkgutil.walk_packages(services.ingest.__path__, "services.ingest."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        functions = [each for each in vars(module).values() if isinstance(each, CPUDispatcher)]
        own = [each for each in functions if each.py_func.__module__ == found.name]
        for each in own:
            checked += 1
            for name in each.py_func.__code__.co_names:
                called = getattr(module, name, None)
                if isinstance(called, CPUDispatcher):
                    assert called in own, f"{found.name}: {each.py_func.__name__} calls {name} of another file"
    assert checked > 10


def test_a_place_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    """A container's file system is often read-only, and its user without a home."""
    program = (
        "import numba.core.caching as caching; caching.CacheImpl._locator_classes = [];"
        "from services.ingest.runs import prepare; prepare()"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "NUMBA_CACHE_DIR" in finished.stderr
