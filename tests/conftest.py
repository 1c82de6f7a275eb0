"""Fixtures that every suite shares."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from services.common.people import choose_key
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.migrate import migrate
from tests.support.broker import Broker, running_broker
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint
from tests.support.kafka import ApacheKafka, KafkaServer, running_kafka
from tests.support.store import embedded_store

# How long an example takes says more about the machine than about the code; pytest-timeout bounds each test.
settings.register_profile("warroom", deadline=None)
settings.load_profile("warroom")


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Leaves loggers as they were: a command that runs within a test configures them for its whole process."""
    root, ours = logging.getLogger(), logging.getLogger("services")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture(scope="session")
def store_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run's embedded ClickHouse keeps its data."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def store(store_directory: Path) -> Iterator[Store]:
    """The run's one embedded ClickHouse. Tests keep apart by campaign id (tests.support.store.fresh_campaign)."""
    yield from embedded_store(store_directory)


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The run's one embedded Kafka, started on first use. Tests keep apart by topic prefix (`broker.unique`)."""
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """The run's one Apache Kafka, for tests marked `system`. Tests keep apart as on the embedded one."""
    with running_kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("embedded_broker", id="embedded"),
        pytest.param("kafka", id="apache", marks=pytest.mark.system),
    ],
)
def broker(request: pytest.FixtureRequest) -> KafkaServer:
    """Each broker in turn: the embedded one in `make test`, Apache Kafka in `make test-system`."""
    chosen: KafkaServer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The run's one ClickHouse over HTTP, in a process of its own, started on first use and migrated.

    Whoever tells it to fail heals it before the test ends.
    """
    with running_endpoint(tmp_path_factory.mktemp("clickhouse")) as running:
        _migrate(running)
        yield running


@pytest.fixture(scope="session")
def http_store(endpoint: Endpoint) -> Iterator[Store]:
    """The store at the end of HTTP."""
    store = endpoint.store()
    yield store
    store.close()


@pytest.fixture(scope="session")
def cluster_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of three shards; see tests.support.clickhouse_http.cluster."""
    with running_endpoint(tmp_path_factory.mktemp("cluster"), shards=3) as running:
        _migrate(running)
        store = running.store()
        yield store
        store.close()


@pytest.fixture
def own_endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """A migrated store of the test's own: audits see this test's blocks alone, and folds hold its events alone."""
    with running_endpoint(tmp_path / "clickhouse") as running:
        _migrate(running)
        yield running


def _migrate(endpoint: Endpoint) -> None:
    store = endpoint.store()
    try:
        migrate(store)
        choose_key(store, Settings())
    finally:
        store.close()
