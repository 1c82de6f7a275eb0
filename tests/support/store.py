"""A real store for tests: chDB allows one engine path in a process, so every test of a run shares one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.people import choose_key
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate

_numbers = itertools.count(1)

WAYS = [pytest.param("embedded"), pytest.param("http", marks=pytest.mark.system)]
"""For a suite's own fixture `store`: what is answered must not depend on the way to the store."""


def by_way(request: pytest.FixtureRequest, embedded: Store) -> Store:
    """The run's store that is reached in the way of the fixture's parameter."""
    store: Store = request.getfixturevalue("http_store") if request.param == "http" else embedded
    return store


def embedded_store(directory: Path) -> Iterator[Store]:
    """A migrated store, closed at the end."""
    store = open_store(f"chdb://{directory}", timeout_seconds=60)
    try:
        migrate(store)
        # Before any test brings rows of its own, which ingest would take for those of an earlier version.
        choose_key(store, Settings())
        yield store
    finally:
        store.close()


def fresh_campaign(prefix: str = "test") -> str:
    """A campaign id that no other test of this run uses."""
    return f"{prefix}-{next(_numbers)}"
