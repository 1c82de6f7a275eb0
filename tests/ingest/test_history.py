"""What the tables hold of ids, asked of a real store: the edges of the horizon, many questions at once, loading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pyarrow as pa
import pytest

from services.common.decode import TrafficEvent
from services.common.store import Store, StorePool
from services.ingest import history
from services.ingest.columns import batch, columns_of
from services.ingest.duplicates import FilterMemory
from services.ingest.history import History
from tests.ingest.world import HASH
from tests.support.store import fresh_campaign

PARTITION = 977
HOUR = 3_600_000
START = 1_700_000_000_000


@pytest.fixture
async def pool(store: Store) -> AsyncIterator[StorePool]:
    pool = StorePool(store, threads=2, name="test")
    yield pool
    await pool.close()


def rows(campaign: str, ids: Sequence[str], arrived: int, event_time: int, partition: int = PARTITION) -> pa.Table:
    events = [TrafficEvent(each, "page_view", "", campaign, "u", event_time_ms=event_time) for each in ids]
    offsets = np.arange(len(ids), dtype=np.uint64)
    return pa.Table.from_batches([batch(columns_of("traffic", events), offsets, partition, arrived)])


async def test_a_question_is_answered_by_what_arrived_in_the_partition_within_the_bounds(pool: StorePool) -> None:
    campaign, seen = fresh_campaign("history"), History(pool, "traffic")
    for arrived, names in ((START - 1, ["early"]), (START, ["first"]), (START + 9, ["last"]), (START + 10, ["own"])):
        await pool.insert("traffic_events", rows(campaign, [campaign + name for name in names], arrived, START - 5))
    other = rows(campaign, [campaign + "elsewhere"], START, START - 5, PARTITION + 1)
    await pool.insert("traffic_events", other)
    asked = ["early", "first", "last", "own", "elsewhere", "never"]
    for event_time in (START - 5, START + 77):
        # The second time stands for a repeat that tells another time: it is found all the same.
        questions = rows(campaign, [campaign + name for name in asked], START + 10, event_time)
        known = await seen.known(PARTITION, questions, START, START + 10)
        assert known == {campaign + "first", campaign + "last"}


@pytest.mark.parametrize("same_time", [True, False], ids=["the same bytes", "another time"])
async def test_many_questions(pool: StorePool, monkeypatch: pytest.MonkeyPatch, same_time: bool) -> None:
    """More than fit into one query, by id and by reading all that arrived."""
    monkeypatch.setattr(history, "_QUESTIONS", 40)
    monkeypatch.setattr(history, "_QUERY_ROWS", 70)
    campaign, seen = fresh_campaign("history"), History(pool, "traffic")
    for number in range(5):
        names = [f"{campaign}-{number}-{row}" for row in range(50)]
        at = START + number * HOUR
        await pool.insert("traffic_events", rows(campaign, names, at, at - 1))
    names = [f"{campaign}-{number}-{row}" for number in range(5) for row in range(100)]
    questions = rows(campaign, names, START + 9 * HOUR, START - 1 if same_time else START + 7)
    known = await seen.known(PARTITION, questions, START + HOUR, START + 4 * HOUR)
    assert known == {f"{campaign}-{number}-{row}" for number in (1, 2, 3) for row in range(50)}


async def test_a_filter_is_loaded_with_all_but_the_rows_of_the_block_that_is_built_again(
    pool: StorePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_QUERY_ROWS", 30)
    campaign, table = fresh_campaign("history"), History(pool, "traffic")
    partition = PARTITION + 10
    moments = [START + number * HOUR // 3 for number in range(9)]
    for at in moments:
        names = [f"{campaign}-{at}-{row}" for row in range(20)]
        await pool.insert("traffic_events", rows(campaign, names, at, at, partition))
    arrivals = (await table.arrivals([partition], moments[0]))[partition]
    assert arrivals.last == moments[-1]
    since, own = moments[2], moments[6]
    filter_ = FilterMemory(1 << 20, 1, HASH).new_filter(24 * HOUR, ids=arrivals.since(since), of=arrivals.since(since))
    assert await table.load(filter_, partition, arrivals, since, besides=own) == 20 * 6
    for at in moments:
        ids = pa.chunked_array([[f"{campaign}-{at}-{row}" for row in range(20)]])
        found = await asyncio.to_thread(filter_.mark, ids, moments[-1])
        assert len(found) == (0 if at < since or at == own else 20)
