"""Two systems that were sent the same stream: as it stands alone, and with three partitions and a second currency."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.conformance.events import festival
from tests.conformance.system import System, loaded_system

SEED = 20251111


@pytest.fixture(scope="package", params=[1, 3], ids=["one partition", "three partitions"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The product with some thirty thousand records in it."""
    partitions: int = request.param
    rates = {} if partitions == 1 else {"USD": Decimal("7.1")}
    env = {"WARROOM_TOPIC_PARTITIONS": str(partitions)}
    if rates:
        env["WARROOM_CURRENCY_RATES"] = json.dumps({name: str(rate) for name, rate in rates.items()})
    records = festival(SEED, datetime.now(UTC), rates)
    with loaded_system(tmp_path_factory.mktemp("conformance") / "warroom", records, rates, env) as loaded:
        yield loaded
