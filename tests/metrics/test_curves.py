"""Curves of distinct counts against plain Python, however often they are asked for while events arrive."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_ms
from services.common.query.curves import MOST_RANGES, Counted, CurveMemory, merge_ranges
from services.common.query.engine import QueryEngine
from services.common.query.question import PhaseSpan, Question
from services.common.store import Row, Store, StorePool
from services.common.store.interface import Parameters
from tests.metrics.test_folds import START, Event, arrive, festival, wanted
from tests.support.store import fresh_campaign

NAMES = ["pv", "uv", "sessions", "orders_paid", "buyers", "new_buyers"]
DISTINCT = {"uv", "sessions", "buyers", "new_buyers"}


class Listening(StorePool):
    """Remembers what was asked."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, threads=1, name="test")
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda sql: None

    async def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        self.asked.append(sql)
        self.before(sql)
        return await super().query(sql, parameters)

    def counted(self) -> int:
        """How many of the statements since the last call counted users; `folds` is no such statement."""
        found = sum("uniqCombined64Merge" in sql for sql in self.asked)
        self.asked.clear()
        return found


@pytest.fixture
async def pool(store: Store) -> AsyncIterator[Listening]:
    made = Listening(store)
    yield made
    await made.close()


def curves(rng: random.Random, campaign: str) -> list[Question]:
    """By minute and by quarter of an hour, of the whole and by channel; some begin or end within a bucket."""
    first = to_ms(START) + rng.randrange(20) * 60 * MINUTE_MS
    minutes = tuple(range(first, first + 40 * MINUTE_MS, MINUTE_MS))
    quarters = tuple(range(first, first + 5 * 60 * MINUTE_MS, 15 * MINUTE_MS))
    ends = quarters[-1] + rng.randrange(1, 15) * MINUTE_MS
    night = first + 150 * MINUTE_MS
    phases = (PhaseSpan("one", first, night), PhaseSpan("two", night, night + 6 * 60 * MINUTE_MS))
    # As where the clock is set back: the last of them is longer than the others.
    uneven = tuple(range(to_ms(START), to_ms(START) + 20 * 60 * MINUTE_MS, 2 * 60 * MINUTE_MS))
    return [
        Question(campaign, uneven[0], uneven[-1] + 4 * 60 * MINUTE_MS, {}, "channel", uneven),
        Question(campaign, first, ends, {}, "phase", quarters, phases),
        Question(campaign, first, ends, {"phase": ("two",)}, None, quarters, phases),
        Question(campaign, first, first + 40 * MINUTE_MS, {}, "channel", minutes),
        Question(campaign, first + 7 * MINUTE_MS, ends, {}, None, quarters),
        Question(campaign, first, ends + rng.randrange(2) * MINUTE_MS, {"channel": ("app", "web")}, None, quarters),
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_a_curve_that_is_asked_for_again_is_that_of_all_events(store: Store, pool: Listening, seed: int) -> None:
    rng = random.Random(seed)
    campaign = fresh_campaign("curves")
    events = festival(seed, campaign, 4_000)
    engine = QueryEngine(pool)
    asked = curves(rng, campaign)
    # The same curve a minute later: what is known of it must not depend on where it began.
    asked += [replace(each, start_ms=each.start_ms + MINUTE_MS) for each in asked]
    done = 0
    while done < len(events):
        more = rng.choice([1, 3, 40, 900])
        arrive(store, events[done : done + more])
        done = min(len(events), done + more)
        for question in rng.sample(asked, 3):
            answer = await engine.metrics(question, NAMES, Decimal(1))
            found = {
                key: kept
                for key, row in answer.rows.items()
                if (kept := {name: n for name, n in row.items() if n and name in DISTINCT})
            }
            expected = wanted(question, events[:done])
            if "phase" in question.filters:
                expected = during(question, events[:done])
            assert found == expected
            # Of one moment: nobody buys without an order.
            assert all(int(row["buyers"] or 0) <= int(row["orders_paid"] or 0) for row in answer.rows.values())


def during(question: Question, events: list[Event]) -> dict[tuple[int, str], dict[str, int]]:
    """What is wanted of a question that is filtered by a phase."""
    spans = [(each.start_ms, each.end_ms) for each in question.phases if each.name in question.filters["phase"]]
    kept = [event for event in events if any(start <= to_ms(event["event_time"]) < end for start, end in spans)]
    return wanted(replace(question, filters={}, phases=()), kept)


async def test_events_that_arrive_between_two_statements_are_in_whole_rows(store: Store, pool: Listening) -> None:
    campaign = fresh_campaign("curves")
    events = [event for event in festival(5, campaign, 2_000) if event["event_name"] == "order_paid"]
    start = to_ms(START)
    buckets = tuple(range(start, start + 600 * MINUTE_MS, MINUTE_MS))
    question = Question(campaign, start, start + 600 * MINUTE_MS, buckets=buckets)
    arrive(store, events[::2])

    def between(sql: str) -> None:
        if "uniqCombined64Merge" in sql:
            arrive(store, events[1::2])

    pool.before = between
    answer = await QueryEngine(pool).metrics(question, ["buyers", "orders_paid"], Decimal(1))
    assert all(int(row["buyers"] or 0) <= int(row["orders_paid"] or 0) for row in answer.rows.values())
    told = sum(int(row["orders_paid"] or 0) for row in answer.rows.values())
    assert told > sum(to_ms(event["event_time"]) < question.end_ms for event in events[::2])


async def test_what_is_known_is_not_counted_again(store: Store, pool: Listening) -> None:
    campaign = fresh_campaign("curves")
    events = festival(7, campaign, 2_000)
    arrive(store, events[:-1])
    engine = QueryEngine(pool)
    start = to_ms(START)
    question = Question(
        campaign, start, start + 600 * MINUTE_MS, buckets=tuple(range(start, start + 600 * MINUTE_MS, MINUTE_MS))
    )
    first = await engine.metrics(question, ["uv", "gmv"], Decimal(1))
    assert pool.counted() == 1
    assert (await engine.metrics(question, ["uv", "gmv"], Decimal(1))).rows == first.rows
    assert pool.counted() == 0
    happened = START.replace(hour=20)
    arrive(
        store,
        [{**events[0], "event_name": "page_view", "event_id": "one more", "event_time": happened, "user_id": "new"}],
    )
    second = await engine.metrics(question, ["uv", "gmv"], Decimal(1))
    assert pool.counted() == 1
    cell = (to_ms(happened), "")
    before, after = first.rows.get(cell, first.empty)["uv"], second.rows[cell]["uv"]
    assert isinstance(before, int)
    assert after == before + 1


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 20)), min_size=1, max_size=60))
def test_ranges_hold_every_span_and_are_few(spans: list[tuple[int, int]]) -> None:
    asked = [(start, start + length) for start, length in spans]
    found = merge_ranges(asked)
    assert len(found) <= MOST_RANGES
    assert all(any(first <= start and end <= last for first, last in found) for start, end in asked)
    assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(found))
    if len(found) < MOST_RANGES:
        assert {minute for first, last in found for minute in range(first, last)} == {
            minute for start, end in asked for minute in range(start, end)
        }


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(1, 9)), max_size=60))
def test_memory_is_bounded_and_holds_what_came_last(remembered: list[tuple[int, int, int]]) -> None:
    memory = CurveMemory(most_cells=40)
    for key, start, length in remembered:
        found = {(start + each, ""): Counted(start + each + 1, length, (each,)) for each in range(length)}
        memory.remember(key, found)
        assert memory.cells <= 40
        curve = memory.curve(key)
        last = (start + length - 1, "")
        if start + length - 1 >= max(cell[0] for cell in curve.cells) - 1:
            assert curve.counted(last, last[0] + 1, length) == found[last]
        assert curve.counted(last, last[0] + 1, length + 1) is None
        assert curve.counted(last, last[0] + 2, length) is None
