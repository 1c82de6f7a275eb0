"""The product that most tests here ask; none of them changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.festivals.arrivals import arrivals
from tests.festivals.flash import flash
from tests.festivals.journey import journey
from tests.festivals.presale import presale
from tests.festivals.regions import regions
from tests.festivals.system import System, loaded_system

SEED = 618


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Four festivals, some hundred thousand records, sent as one stream in which they take turns."""
    festivals = [presale(SEED), flash(SEED), regions(SEED), journey(SEED)]
    sent = [arrivals(festival, SEED + number) for number, festival in enumerate(festivals)]
    # The order within each is kept: which of two records with one id came first is part of the truth.
    turns = [
        ((place / len(records), number), record)
        for number, records in enumerate(sent)
        for place, record in enumerate(records)
    ]
    stream = [record for _, record in sorted(turns, key=lambda turn: turn[0])]
    with loaded_system(tmp_path_factory.mktemp("festivals"), festivals, stream) as running:
        yield running
