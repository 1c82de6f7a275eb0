"""The system that most conformance tests ask; each asks only for numbers, or for campaigns of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from tests.conformance.events import festival
from tests.conformance.system import System, loaded_system
from tests.support.clickhouse_http.endpoint import running_endpoint

SEED = 20251111


@pytest.fixture(
    scope="package",
    params=[pytest.param("chdb", id="embedded"), pytest.param("http", id="http", marks=pytest.mark.system)],
)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The product as it starts without any setting, or with a ClickHouse over HTTP, with some thirty thousand records
    in it."""
    directory = tmp_path_factory.mktemp("conformance")
    records = festival(SEED, datetime.now(UTC), {})
    with ExitStack() as stack:
        env = {}
        if request.param == "http":
            env["WARROOM_CLICKHOUSE_URL"] = stack.enter_context(running_endpoint(directory / "clickhouse")).url
        yield stack.enter_context(loaded_system(directory / "warroom", records, {}, env))
