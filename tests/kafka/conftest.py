"""What these tests share: a group of real processes between Apache Kafka and a store behind HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.common.settings import Settings
from services.common.store import Store
from tests.ingest.harness import settings_for
from tests.kafka.fleet import Fleet, fleet_of
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.kafka import ApacheKafka

PARTITIONS = 12


@pytest.fixture
def tables(own_endpoint: Endpoint) -> Iterator[Store]:
    """The migrated store behind HTTP."""
    store = own_endpoint.store()
    yield store
    store.close()


@pytest.fixture
def fleet_settings(kafka: ApacheKafka, own_endpoint: Endpoint) -> Settings:
    """Twelve partitions a topic, with names of the test's own."""
    return settings_for(kafka, topic_partitions=PARTITIONS, clickhouse_url=SecretStr(own_endpoint.url))


@pytest.fixture
def fleet(fleet_settings: Settings, tables: Store, tmp_path: Path) -> Iterator[Fleet]:
    """No process yet; none is left at the end."""
    with fleet_of(fleet_settings, tmp_path) as fleet:
        yield fleet
