"""Ingest's suites run on what is embedded, and by `make test-system` on what a deployment has."""

from __future__ import annotations

import pytest

from services.common.store import Store
from tests.support.kafka import ApacheKafka


@pytest.fixture
def store(request: pytest.FixtureRequest, store: Store) -> Store:
    """The embedded store; beside Apache Kafka the one over HTTP."""
    if "broker" in request.fixturenames and isinstance(request.getfixturevalue("broker"), ApacheKafka):
        store = request.getfixturevalue("http_store")
    return store
