"""The system that most conformance tests ask; each asks only for numbers, or for campaigns of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.conformance.events import festival
from tests.conformance.system import System, loaded_system

SEED = 20251111


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The product as it starts without any setting, with some thirty thousand records in it."""
    records = festival(SEED, datetime.now(UTC), {})
    with loaded_system(tmp_path_factory.mktemp("conformance") / "warroom", records, {}, {}) as loaded:
        yield loaded
