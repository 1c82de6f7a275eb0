"""The contract suite runs on both interfaces: chDB in this process, and HTTP to the endpoint in front of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.store import Store
from services.common.store.clickhouse import open_store
from tests.support.clickhouse_http.endpoint import Endpoint

IMPATIENT_SECONDS = 2.0


@pytest.fixture(params=["chdb", "http"])
def store(request: pytest.FixtureRequest, store: Store) -> Store:
    """The store under test; the embedded one is shared with other suites."""
    if request.param == "http":
        store = request.getfixturevalue("http_store")
    return store


@pytest.fixture(params=["chdb", "http"])
def impatient(request: pytest.FixtureRequest, store_directory: Path) -> Iterator[Store]:
    """A store whose calls may take two seconds."""
    if request.param == "http":
        endpoint: Endpoint = request.getfixturevalue("endpoint")
        store = endpoint.store(timeout_seconds=IMPATIENT_SECONDS)
    else:
        store = open_store(f"chdb://{store_directory}", timeout_seconds=IMPATIENT_SECONDS)
    yield store
    store.close()
