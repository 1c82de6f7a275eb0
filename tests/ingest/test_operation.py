"""When blocks are written, and how much may wait for a store that does not take them."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pyarrow as pa
import pytest

from services.common import prometheus
from services.common.kafka import ensure_topics
from services.common.settings import Settings
from services.common.store import Row, Store
from services.common.store.interface import Parameters
from services.ingest.consumer import MOST_CHUNKS
from services.ingest.records import CHUNK_BYTES
from services.ingest.service import IngestService
from tests.ingest.harness import handled, produce, record, running, settings_for, traffic, until_handled
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until

_NEVER = {"batch_max_rows": 1_000_000, "batch_max_bytes": 64 << 20, "batch_max_age_ms": 60_000, "topic_partitions": 1}


def blocks(store: Store, settings: Settings) -> list[tuple[int, int]]:
    """The ranges written of the only partition of traffic."""
    rows = store.query(
        "SELECT start_offset, end_offset FROM ingest_blocks WHERE topic = {t:String} ORDER BY start_offset",
        {"t": settings.topics["traffic"]},
    )
    return [(row["start_offset"], row["end_offset"]) for row in rows]


def buffered() -> float:
    """What the gauge says."""
    (family,) = prometheus.INGEST_BUFFERED_BYTES.collect()
    return float(family.samples[0].value)


async def test_a_block_is_written_at_so_many_records(broker: KafkaServer, store: Store) -> None:
    settings = settings_for(broker, **{**_NEVER, "batch_max_rows": 10})
    sent = [record("traffic", traffic(fresh_campaign())) for _ in range(12)]
    async with running(settings, store):
        await produce(settings, sent[:4])
        await until(lambda: buffered() > 0)
        await produce(settings, sent[4:])
        await until(lambda: bool(blocks(store, settings)))
        assert blocks(store, settings) == [(0, 10)]
    # The rest is not of age; stopping writes it.
    assert blocks(store, settings) == [(0, 10), (10, 12)]


async def test_a_block_is_written_at_so_many_bytes(broker: KafkaServer, store: Store) -> None:
    settings = settings_for(broker, **{**_NEVER, "batch_max_bytes": 20_000})
    sent = [record("traffic", traffic(fresh_campaign(), page_location="x" * 1_000)) for _ in range(25)]
    async with running(settings, store):
        await produce(settings, sent[:5])
        await until(lambda: buffered() > 5_000)
        assert blocks(store, settings) == []
        await produce(settings, sent[5:])
        await until(lambda: bool(blocks(store, settings)))
    # Where the first is cut depends on what a fetch brought; it is full by then, and stopping writes the rest.
    (first, *rest) = blocks(store, settings)
    full = 20_000 // len(sent[0][2] or b"")
    assert first[0] == 0
    assert full <= first[1] <= 25
    assert rest in ([], [(first[1], 25)])


async def test_a_block_is_written_at_such_an_age(broker: KafkaServer, store: Store) -> None:
    settings = settings_for(broker, **{**_NEVER, "batch_max_age_ms": 300})
    sent = [record("traffic", traffic(fresh_campaign())) for _ in range(3)]
    async with running(settings, store):
        await produce(settings, sent)
        await until_handled(store, settings, sent)
        assert blocks(store, settings)[-1][1] == 3


class Stalled:
    """The real store, whose inserts of events wait until they are let go."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.let_go = threading.Event()

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        if table == "traffic_events":
            assert self.let_go.wait(120)
        self._store.insert(table, rows, token=token)

    def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return self._store.query(sql, parameters)

    def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        return self._store.query_arrow(sql, parameters)

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        self._store.command(sql, parameters)

    def close(self) -> None:
        pass


async def test_what_waits_is_bounded_whatever_the_backlog(
    broker: KafkaServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a run, its last batch may lie beyond the bound.
    limit, one_poll = 8 << 20, MOST_CHUNKS * (CHUNK_BYTES + 16_384)
    campaign = fresh_campaign("ingest")
    settings = settings_for(
        broker, topic_partitions=6, max_buffered_bytes=limit, batch_max_bytes=1 << 20, batch_max_rows=500
    )
    await ensure_topics(settings)
    sent = [
        record("traffic", traffic(campaign, user_id=f"u{number}", page_location="x" * 8_000)) for number in range(6_000)
    ]
    backlog = sum(len(json.dumps(value.decode())) for _, _, value in sent if value)
    assert backlog > 2 * (limit + one_poll)
    await produce(settings, sent)
    most = 0.0
    tell = prometheus.INGEST_BUFFERED_BYTES.set

    def told(value: float) -> None:
        nonlocal most
        most = max(most, value)
        tell(value)

    monkeypatch.setattr(prometheus.INGEST_BUFFERED_BYTES, "set", told)
    stalled: Any = Stalled(store)
    stop = asyncio.Event()
    task = asyncio.create_task(IngestService(settings, stalled).run(stop))
    try:
        # It goes on polling meanwhile: a second of its turns, each of which could fetch more.
        turns = 0

        def count(value: float) -> None:
            nonlocal turns
            turns += value > 0 and most > limit // 2

        monkeypatch.setattr(prometheus.INGEST_PAUSED_PARTITIONS, "set", count)
        await until(lambda: turns > 20, 60)
        assert limit // 2 < most <= limit + one_poll
        assert handled(store, settings) == 0
        stalled.let_go.set()
        await until_handled(store, settings, sent, 120)
        assert most <= limit + one_poll
    finally:
        stalled.let_go.set()
        stop.set()
        async with asyncio.timeout(60):
            await task
    (row,) = store.query("SELECT count() AS n FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    assert row["n"] == len(sent)
