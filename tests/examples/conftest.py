"""One known system for all that reads examples."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.examples.known import known_system


@pytest.fixture(scope="package")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a system that has counted the example events."""
    with known_system(tmp_path_factory.mktemp("examples") / "room") as client:
        yield client
