"""Questions answered by way of folds against sets and a greedy walk in plain Python, however far folding has come."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from services.common.clock import MINUTE_MS, to_ms
from services.common.query import folds
from services.common.query.engine import QueryEngine
from services.common.query.folds import FoldCuts
from services.common.query.funnel import STEPS, funnel
from services.common.query.funnel_sql import funnel_sql
from services.common.query.question import Extent, PhaseSpan, Question
from services.common.query.sql import plan
from services.common.store import Store, StorePool
from services.metrics.folding import Folder, folder
from tests.metrics.test_funnel import greedy
from tests.support.rows import insert_rows
from tests.support.store import fresh_campaign

START = datetime(2026, 11, 10, 16, tzinfo=UTC)
HOURS = 26
TRAFFIC = ["page_view", "page_view", "view_item", "add_to_cart", "begin_checkout"]
ORDERS = ["order_created", "order_paid", "order_refunded"]
_MOMENT = pa.timestamp("ms", "UTC")

Event = dict[str, Any]


@pytest.fixture(autouse=True)
def nothing_folded(store: Store) -> Iterator[None]:
    """Folds speak of everything that arrived; other tests write events that arrived long ago."""
    yield
    for table in ("folds", "uniques_by_span", "funnel_by_span", "ingest_progress"):
        store.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
async def pool(store: Store) -> AsyncIterator[StorePool]:
    made = StorePool(store, threads=2, name="test")
    yield made
    await made.close()


def festival(seed: int, campaign: str, count: int = 3_000) -> list[Event]:
    """Events in the order of their arrival: some late by seconds, some by hours, a few ahead of time."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        name = rng.choice(TRAFFIC if rng.random() < 0.7 else ORDERS)
        happened = START + timedelta(seconds=rng.randrange(HOURS * 3600), milliseconds=rng.randrange(1000))
        late = rng.choice([-30, 0, 1, 2, 5, 40, 900, 7_200, 36_000])
        event = {
            "event_id": f"{campaign}-{number}",
            "event_name": name,
            "event_time": happened,
            "arrived_at": happened + timedelta(seconds=late),
            "campaign_id": campaign,
            "user_id": f"u{rng.randrange(150)}",
            "channel": rng.choice(["app", "web", "live"]),
        }
        event |= (
            {"customer_type": rng.choice(["new", "returning"])}
            if name in ORDERS
            else {"session_id": rng.choice(["", f"s{rng.randrange(400)}"])}
        )
        found.append(event)
    return sorted(found, key=lambda event: event["arrived_at"])


def arrive(store: Store, events: list[Event]) -> None:
    insert_rows(store, "traffic_events", [event for event in events if event["event_name"] in TRAFFIC])
    insert_rows(store, "order_events", [event for event in events if event["event_name"] in ORDERS])


def complete(store: Store, moment_ms: int) -> None:
    """Says for ingest that everything before the moment is in."""
    kinds = [kind.value for kind in folds.TABLES]
    count = len(kinds)
    row = {
        "topic": pa.array([f"folded.{kind}" for kind in kinds], pa.string()),
        "kafka_partition": pa.array([0] * count, pa.uint16()),
        "kind": pa.array(kinds, pa.string()),
        "next_offset": pa.array([1] * count, pa.uint64()),
        "end_offset": pa.array([1] * count, pa.uint64()),
        "watermark": pa.array([moment_ms] * count, _MOMENT),
        "updated_at": pa.array([moment_ms] * count, _MOMENT),
    }
    # Other tests of the same store have ingest of their own, which ended long ago.
    store.command("TRUNCATE TABLE ingest_progress")
    store.insert("ingest_progress", pa.table(row))


def questions(rng: random.Random, campaign: str) -> Iterator[Question]:
    start = to_ms(START)
    whole = Question(campaign, start, start + HOURS * 60 * MINUTE_MS)
    phases = (
        PhaseSpan("one", start, start + 8 * 60 * MINUTE_MS),
        PhaseSpan("two", start + 8 * 60 * MINUTE_MS, start + HOURS * 60 * MINUTE_MS),
    )
    yield whole
    yield replace(whole, group_by="channel")
    # A question made from that about the whole, as those about baselines and hours are.
    yield replace(whole, start_ms=start + 3 * 60 * MINUTE_MS)
    yield Question(campaign, whole.start_ms, whole.end_ms, group_by="phase", phases=phases)
    for _ in range(4):
        one, other = sorted(start + rng.randrange(HOURS * 60) * MINUTE_MS for _ in range(2))
        group_by = rng.choice([None, "channel"])
        filters = rng.choice([{}, {"channel": ("app", "web")}])
        step = rng.choice([0, 30, 60, 120])
        first = one - one % (60 * MINUTE_MS)
        buckets = tuple(range(first, other, step * MINUTE_MS)) if step and other > first else ()
        yield Question(campaign, one, other, filters, group_by, buckets)


def wanted(question: Question, events: list[Event]) -> dict[tuple[int, str], dict[str, int]]:
    sets: dict[tuple[int, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        at = to_ms(event["event_time"])
        if not question.start_ms <= at < question.end_ms:
            continue
        if event["channel"] not in question.filters.get("channel", (event["channel"],)):
            continue
        value = event["channel"] if question.group_by == "channel" else ""
        if question.group_by == "phase":
            value = next(phase.name for phase in question.phases if phase.start_ms <= at < phase.end_ms)
        key = (max((start for start in question.buckets if start <= at), default=0), value)
        if event["event_name"] in TRAFFIC:
            sets[key]["uv"].add(event["user_id"])
            if event["session_id"]:
                sets[key]["sessions"].add(event["session_id"])
        elif event["event_name"] == "order_paid":
            sets[key]["buyers"].add(event["user_id"])
            if event["customer_type"] == "new":
                sets[key]["new_buyers"].add(event["user_id"])
    return {key: {name: len(each) for name, each in found.items()} for key, found in sets.items()}


def chained(question: Question, events: list[Event]) -> list[int]:
    users: dict[str, list[tuple[int, str, bool]]] = defaultdict(list)
    for event in events:
        at = to_ms(event["event_time"])
        if question.start_ms <= at < question.end_ms:
            users[event["user_id"]].append((at, event["event_name"], event["event_name"] in TRAFFIC))
    levels = [greedy(sequence) for sequence in users.values()]
    return [sum(level > step for level in levels) for step in range(len(STEPS))]


async def check(pool: StorePool, campaign: str, events: list[Event], rng: random.Random) -> int:
    """Every question against plain Python; returns how many statements went by way of spans."""
    engine = QueryEngine(pool)
    cuts = await FoldCuts(pool).read()
    folded = 0
    happened = [to_ms(event["event_time"]) for event in events]
    extent = Extent(campaign, min(happened, default=0), max(happened, default=0))
    for each in questions(rng, campaign):
        question = replace(each, extent=extent)
        names = ["uv", "sessions", "buyers", "new_buyers"]
        folded += sum(statement.source == "uniques_by_span" for statement in plan(question, names, cuts))
        whole = question.everything and question.group_by != "phase" and not question.buckets
        statements = plan(question, names, cuts)
        if whole:
            spans = [each for each in statements if each.source == "uniques_by_span"]
            assert all(each.parameters["span0"] == 0 for each in spans)
            if len(cuts) == len(folds.TABLES) and not question.dimensions:
                assert funnel_sql(question, cuts)[1]["span0"] == 0
        answer = await engine.metrics(question, names, Decimal(1))
        found = {key: {name: n for name, n in row.items() if n} for key, row in answer.rows.items()}
        assert {key: row for key, row in found.items() if row} == wanted(question, events)
        if question.group_by is None and not question.filters and not question.buckets:
            (steps,) = (await funnel(pool, question, FoldCuts(pool))).values()
            assert [step.users for step in steps] == chained(question, events)
    return folded


@pytest.mark.parametrize("seed", range(4))
async def test_answers_do_not_depend_on_how_far_folding_has_come(store: Store, pool: StorePool, seed: int) -> None:
    rng = random.Random(seed)
    campaign = fresh_campaign("folds")
    events = festival(seed, campaign)
    bounds = sorted(rng.randrange(len(events)) for _ in range(4))
    folded = 0
    for start, end in zip([0, *bounds], [*bounds, len(events)], strict=True):
        arrive(store, events[start:end])
        if end:
            complete(store, to_ms(events[end - 1]["arrived_at"]))
        folding = Folder(pool, lambda: 0)
        if rng.random() < 0.8:
            while await folding.fold_due():
                pass
            if rng.random() < 0.5:
                await folding.compact()
        folded += await check(pool, campaign, events[:end], rng)
    assert folded


def test_everything_is_of_one_campaign_and_within_the_period() -> None:
    question = Question("one", 60_000, 120_000, extent=Extent("one", 60_000, 119_999))
    assert question.everything
    assert not replace(question, campaign_id="two").everything
    assert not replace(question, start_ms=60_001).everything
    assert not replace(question, end_ms=119_999).everything
    assert not replace(question, extent=None).everything


async def test_what_is_folded_twice_changes_nothing(store: Store, pool: StorePool) -> None:
    campaign = fresh_campaign("folds")
    events = festival(9, campaign, 1_000)
    arrive(store, events)
    for _ in range(2):
        complete(store, to_ms(events[-1]["arrived_at"]) + 60_000)
        while await Folder(pool, lambda: 0).fold_due():
            pass
        assert await check(pool, campaign, events, random.Random(1))
        # As if it had been killed after folding and before it said so.
        store.command("TRUNCATE TABLE folds")


async def test_events_that_take_a_moment_of_arrival_long_folded_are_folded_after_all(
    store: Store, pool: StorePool
) -> None:
    campaign = fresh_campaign("folds")
    events = festival(3, campaign, 1_000)
    late = events[3::7]
    arrive(store, [event for event in events if event not in late])
    now = to_ms(events[-1]["arrived_at"]) + 60_000
    complete(store, now)
    folding = Folder(pool, lambda: now)
    while await folding.fold_due():
        pass
    arrive(store, late)
    _enter(store)
    folder_since = folder.CHECKED_MS
    try:
        folder.CHECKED_MS = HOURS * 2 * 3_600_000
        await folding.mend()
    finally:
        folder.CHECKED_MS = folder_since
        # Whoever else wrote into the ledger has read it by now. To delete these rows only takes half a minute: other
        # tests' arrivals lie in hundreds of partitions.
        store.command("TRUNCATE TABLE ingest_blocks")
    assert await check(pool, campaign, events, random.Random(2))


def _enter(store: Store) -> None:
    """Writes all that has arrived into the ledger of ingest, other tests' events too."""
    for kind, table in folds.TABLES.items():
        store.command(
            f"""
            INSERT INTO ingest_blocks (topic, kind, opened_at, records, rows)
            SELECT 'folded.{kind.value}', '{kind.value}', arrived_at, count(), count() FROM {table} GROUP BY arrived_at
            """
        )
