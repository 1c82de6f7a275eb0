"""What the tables hold of ids, asked of a real store: the edges of the horizon, many questions at once, loading."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.fixture(params=["store", "http_store"], ids=["chdb", "http"])
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[StorePool]:
    store: Store = request.getfixturevalue(request.param)
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


async def test_repeats_of_many_campaigns_and_times_are_found(pool: StorePool) -> None:
    """Short ids, each of a campaign and a time of its own. Found by events of as many campaigns that came again: the
    campaigns of a question were too much for a parameter over HTTP, and the partition stood still for ever."""
    seen, count = History(pool, "traffic"), 20_000
    first = fresh_campaign("many")
    ids = [f"{first}{number}"[-12:] for number in range(count)]
    events = [
        TrafficEvent(name, "page_view", "", f"{first}-{number:050}", "u", event_time_ms=START - number)
        for number, name in enumerate(ids)
    ]
    offsets = np.arange(count, dtype=np.uint64)
    table = pa.Table.from_batches([batch(columns_of("traffic", events), offsets, PARTITION + 2, START)])
    await pool.insert("traffic_events", table)
    assert await seen.known(PARTITION + 2, table, START, START + 1) == set(ids)


async def test_any_text_may_be_an_id(pool: StorePool) -> None:
    """A parameter that is escaped the wrong way would let repeats pass."""
    campaign, seen = fresh_campaign("history"), History(pool, "traffic")
    texts = [
        "'",
        '"',
        "\\",
        "\\'",
        "\\n",
        "\n",
        "\t",
        "\r",
        "\0",
        "\x1b",
        "[,]",
        "{a:String}",
        "%s",
        "NULL",
        "\\N",
        "é",
        "\U0001f600",
    ]
    names = [f"{campaign}{text}{number}" for text in texts for number in ("", 1)]
    await pool.insert("traffic_events", rows(campaign, names, START, START))
    for event_time in (START, START + 5):
        questions = rows(campaign, [*names, campaign + "other"], START + 10, event_time)
        assert await seen.known(PARTITION, questions, START, START + 10) == set(names)


async def test_the_longest_ids_fit_into_the_parameters(pool: StorePool) -> None:
    campaign, seen = fresh_campaign("history"), History(pool, "traffic")
    names = ["\\" * 55 + f"{number:09}" for number in range(1_500)]
    names += ["\U0001f600" * 55 + f"{number:09}" for number in range(1_500)]
    await pool.insert("traffic_events", rows(campaign, names[::2], START, START))
    questions = rows(campaign, names, START + 10, START)
    assert await seen.known(PARTITION, questions, START, START + 10) == set(names[::2])


@pytest.mark.parametrize("same_time", [True, False], ids=["the same bytes", "another time"])
async def test_many_questions(pool: StorePool, monkeypatch: pytest.MonkeyPatch, same_time: bool) -> None:
    """More than fit into one query, by id and by reading all that arrived."""
    monkeypatch.setattr(history, "_PARAMETER_BYTES", 2_000)
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


@given(
    st.lists(st.dictionaries(st.integers(0, 40), st.integers(1, 2_000_000), max_size=9), max_size=3),
    st.integers(0, 45 * history._SLICE_MS),
)
def test_spans_cover_all_that_arrived_and_are_small(partitions: list[dict[int, int]], since: int) -> None:
    arrivals = [
        history.Arrivals({number * history._SLICE_MS: count for number, count in each.items()}, 0)
        for each in partitions
    ]
    spans = list(history._spans(arrivals, since))
    assert all(since <= start < end for start, end in spans)
    assert all(one[1] <= next_one[0] for one, next_one in pairwise(spans))
    total = Counter[int]()
    for each in arrivals:
        total.update(each.slices)
    for slice_ in total:
        covered = sum(max(0, min(end, slice_ + history._SLICE_MS) - max(start, slice_)) for start, end in spans)
        assert covered == max(0, slice_ + history._SLICE_MS - max(since, slice_))
    for start, end in spans:
        # As if what arrives in a slice were spread evenly.
        rows = sum(
            count * max(0, min(end, slice_ + history._SLICE_MS) - max(start, slice_)) / history._SLICE_MS
            for slice_, count in total.items()
        )
        assert rows <= history._QUERY_ROWS * 1.01


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
        await pool.insert("traffic_events", rows(campaign, names, at, at, partition + 1))
    arrivals = await table.arrivals([partition, partition + 1], moments[0])
    assert arrivals[partition].last == moments[-1]
    since, own = moments[2], moments[6]
    memory = FilterMemory(1 << 20, 2, HASH)
    filters = {each: memory.new_filter(24 * HOUR) for each in (partition, partition + 1, partition + 2)}
    # A block of the other partition that was opened at another moment, and one at a moment of this partition's.
    await table.load(filters, arrivals, since, besides={partition: own, partition + 1: START})
    for at in moments:
        ids = pa.chunked_array([[f"{campaign}-{at}-{row}" for row in range(20)]])
        found = {each: len(filters[each].mark(ids, moments[-1])) for each in filters}
        known = 0 if at < since or at == own else 20
        assert found == {partition: known, partition + 1: 0 if at < since else 20, partition + 2: 0}
