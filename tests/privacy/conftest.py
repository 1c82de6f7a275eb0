"""People in a real store, reached in either way."""

from __future__ import annotations

import pytest

from services.common.store import Store
from tests.support.store import WAYS, by_way


@pytest.fixture(scope="session", params=WAYS)
def store(request: pytest.FixtureRequest, store: Store) -> Store:
    return by_way(request, store)
