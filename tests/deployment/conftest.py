"""What these tests share."""

from __future__ import annotations

import pytest

from services.common.store.migrate import migrate
from tests.support.clickhouse_http.endpoint import Endpoint


@pytest.fixture
def endpoint(own_endpoint: Endpoint) -> Endpoint:
    """Migrated, and the test's own: a whole deployment folds all that its store holds."""
    store = own_endpoint.store()
    try:
        migrate(store)
    finally:
        store.close()
    return own_endpoint
