"""A store that was made for one server is not taken for a cluster's, nor the other way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from services.cli import warroom
from services.common.errors import ConfigurationError
from services.common.store.clickhouse import open_store
from services.common.store.kind import check_kind
from services.common.store.migrate import migrate
from services.ingest.service import IngestService
from tests.ingest.harness import settings_for
from tests.support.broker import Broker
from tests.support.clickhouse_http.cluster import NAME
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint

_TABLES = "SELECT count() AS tables FROM system.tables"
KINDS = ((0, "WARROOM_CLICKHOUSE_CLUSTER is set"), (1, "set WARROOM_CLICKHOUSE_CLUSTER"))


@pytest.fixture(scope="module", params=KINDS, ids=("one server", "cluster"))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, str]]:
    """A store of each kind, and what the other setting is told."""
    shards, refusal = request.param
    with running_endpoint(tmp_path_factory.mktemp("kind"), shards=shards) as endpoint:
        store = endpoint.store()
        check_kind(store)
        migrate(store)
        check_kind(store)
        store.close()
        yield endpoint, refusal


async def test_the_other_setting_is_refused_and_nothing_is_made(
    made: tuple[Endpoint, str], embedded_broker: Broker
) -> None:
    """Catches: an insert that is acknowledged before the shards have it; a cluster whose rows are on one server."""
    endpoint, refusal = made
    cluster = None if refusal.startswith("set") else NAME
    other = open_store(endpoint.url, timeout_seconds=30, cluster=cluster)
    try:
        before = other.query(_TABLES)
        with pytest.raises(ConfigurationError, match=refusal):
            migrate(other)
        service = IngestService(settings_for(embedded_broker), other)
        async with asyncio.timeout(60):
            with pytest.raises(ConfigurationError, match=refusal):
                await service.run(asyncio.Event())
        assert other.query(_TABLES) == before
    finally:
        other.close()


@pytest.mark.parametrize("service", ["metrics", "alerts"])
def test_services_that_write_refuse_to_start(
    made: tuple[Endpoint, str], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: two instances that both hold the lease, since neither reads what it has just written."""
    endpoint, refusal = made
    monkeypatch.setenv("WARROOM_CLICKHOUSE_URL", endpoint.url)
    if not refusal.startswith("set"):
        monkeypatch.setenv("WARROOM_CLICKHOUSE_CLUSTER", NAME)
    done = CliRunner().invoke(warroom, [service])
    assert isinstance(done.exception, ConfigurationError)
    assert refusal in str(done.exception)
