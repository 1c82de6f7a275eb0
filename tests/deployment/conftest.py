"""What these tests share."""

from __future__ import annotations

import pytest

from tests.support.clickhouse_http.endpoint import Endpoint


@pytest.fixture
def endpoint(own_endpoint: Endpoint) -> Endpoint:
    """The test's own: a whole deployment folds all that its store holds."""
    return own_endpoint
