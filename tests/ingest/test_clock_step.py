"""A clock that is set back must neither stop ingest until it has caught up nor let two blocks claim one arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import wall_clock
from services.common.store import Store
from services.common.store.migrate import migrate
from services.ingest.block import BUSY_AGE_MS, BlockLimits, BlockSize
from services.ingest.service import IngestService
from tests.ingest.harness import Record, produce, record, settings_for, traffic, until_handled
from tests.support.audits import assert_clean
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until

LIMITS = BlockLimits(records=100, bytes=1000, age_ms=400)


@given(step=st.integers(1, 10**10), waited=st.integers(0, 10**6))
def test_a_block_is_due_by_the_clock_that_opened_it(step: int, waited: int) -> None:
    # The block before was opened by a clock that ran ahead, so this one is recorded as opened later still.
    began = 1_800_000_000_000
    size = BlockSize(opened_at=began + step, began=began)
    assert size.is_due(LIMITS, began + waited, LIMITS.age_ms) == (waited >= LIMITS.age_ms)
    assert size.is_closed(LIMITS, began + waited) == (waited >= BUSY_AGE_MS)


@given(back=st.integers(1, 10**10))
def test_a_clock_that_goes_back_makes_an_open_block_due(back: int) -> None:
    began = 1_800_000_000_000
    assert BlockSize(opened_at=began, began=began).is_due(LIMITS, began - back, LIMITS.age_ms)


@pytest.fixture
def store_of_its_own(tmp_path: Path) -> Iterator[Store]:
    """Rows from the future, in the store that all tests share, would move everybody's clock."""
    with running_endpoint(tmp_path) as endpoint:
        store = endpoint.store()
        migrate(store)
        yield store
        store.close()


async def test_a_clock_that_jumps_loses_and_doubles_nothing(broker: KafkaServer, store_of_its_own: Store) -> None:
    """Back by twenty minutes, ahead by an hour, back again, between blocks and while one is open."""
    store = store_of_its_own
    campaign = fresh_campaign("clock")
    settings = settings_for(broker, batch_max_rows=200)
    step = 0

    def clock() -> int:
        return wall_clock() + step

    service = IngestService(settings, store, clock)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    sent: list[Record] = []
    try:
        await until(lambda: service.not_ready() is None)
        for minutes in (0, -20, 60, -5, 0):
            step = minutes * 60_000
            views = [record("traffic", traffic(campaign, user_id=f"u{number % 40}")) for number in range(500)]
            sent += [*views, *views[:50]]
            await produce(settings, [*views, *views[:50]])
            await until_handled(store, settings, sent)
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
    report = assert_clean(store, settings.topic_prefix, campaign=campaign, around_ms=2 * 3_600_000)
    assert sum(lane.rows for lane in report.lanes) == 2_500
    assert sum(lane.duplicates for lane in report.lanes) == 250
